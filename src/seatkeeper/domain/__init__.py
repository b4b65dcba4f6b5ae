"""The pure room: values, decisions and arithmetic. No clock, no input or output, no chance."""
