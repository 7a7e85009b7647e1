"""The format of evidence, and the check of a bundle: the standard library only, so it runs from within a bundle.

    python BUNDLE.zip [--key HEX]                 a bundle checks itself
    python OWN_COPY.zip BUNDLE.zip [--key HEX]    with the verifier of another bundle that one trusts

`layout` says which tables and columns are covered and what the bytes of a row are, `hashes` what is made of them,
`locating` which row does not match, `signature` checks Ed25519, `bundle` reads a bundle and walks along it.
"""
