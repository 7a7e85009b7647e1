"""From packet to stored fact: vocabulary, wire codecs, the pipeline, the schema and the store.

The only writer of facts. It does not serve people (`service`) and does no
arithmetic of its own on series (`kernels`).
"""
