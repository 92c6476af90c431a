"""The building blocks of panels: frames, fields, forms and lists."""
