"""Stack components: the interfaces of orchestrators and artifact stores, and the implementations we ship."""
