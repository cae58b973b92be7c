#error "The feature Loud is disabled: this must not be compiled"
