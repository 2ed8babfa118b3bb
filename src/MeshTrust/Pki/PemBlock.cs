namespace MeshTrust.Pki;

/// <summary>One block of a PEM file (RFC 7468).</summary>
/// <param name="Label">The text between <c>BEGIN</c> and the dashes, for instance <c>CERTIFICATE</c>.</param>
/// <param name="Der">The decoded bytes.</param>
/// <param name="Line">The line of <c>-----BEGIN</c>, counted from 1.</param>
internal sealed record PemBlock(string Label, ReadOnlyMemory<byte> Der, int Line)
{
    /// <summary>Label, size and line; never the content, which may be a key.</summary>
    public override string ToString() => $"{Label}, {Der.Length} bytes, line {Line}";
}
