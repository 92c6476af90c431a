"""Stack components: the doors through which steps run and bytes are kept, and the implementations we ship."""
