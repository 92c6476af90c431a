"""What a step depends on besides its inputs: the functions, classes, modules and constants its code reaches."""
