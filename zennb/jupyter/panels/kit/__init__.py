"""The parts panels are made of: frames, fields, forms and lists."""
