"""The far side of the lab: real servers for every site, resolver and trick of a world."""
