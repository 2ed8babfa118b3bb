namespace MeshTrust.Pki;

/// <summary>One attribute of a distinguished name.</summary>
/// <param name="Type">The short name (<c>CN</c>, <c>O</c>, <c>L</c>), or the OID where there is none.</param>
/// <param name="Value">The value.</param>
/// <param name="StringType">The ASN.1 type of the value: <c>UTF8String</c>, <c>PrintableString</c> and so on.</param>
public sealed record NameAttribute(string Type, string Value, string StringType);
