using Org.BouncyCastle.Asn1;

namespace MeshTrust.Pki;

/// <summary>One attribute of a distinguished name.</summary>
/// <param name="Type">The short name (<c>CN</c>, <c>O</c>, <c>L</c>), or the OID if there is none.</param>
/// <param name="Value">The value.</param>
/// <param name="StringType">The ASN.1 type of the value: <c>UTF8String</c>, <c>PrintableString</c> and so on.</param>
internal sealed record NameAttribute(string Type, string Value, string StringType);

/// <summary>A distinguished name: its bytes and its text.</summary>
internal sealed class DistinguishedName
{
    private static readonly Dictionary<string, string> ShortNames = new(StringComparer.Ordinal)
    {
        ["2.5.4.3"] = "CN",
        ["2.5.4.5"] = "serialNumber",
        ["2.5.4.6"] = "C",
        ["2.5.4.7"] = "L",
        ["2.5.4.8"] = "ST",
        ["2.5.4.10"] = "O",
        ["2.5.4.11"] = "OU",
        ["0.9.2342.19200300.100.1.25"] = "DC",
        ["1.2.840.113549.1.9.1"] = "emailAddress",
    };

    internal DistinguishedName(Asn1Encodable name)
    {
        Der = name.GetDerEncoded();
        var attributes =
            from relative in Asn1Sequence.GetInstance(name)
            from attribute in Asn1Set.GetInstance(relative)
            select ReadAttribute(Asn1Sequence.GetInstance(attribute));
        Attributes = [.. attributes];
        Text = string.Join(", ", Attributes.Select(a => $"{a.Type}={Escape(a.Value)}"));
    }

    internal ReadOnlyMemory<byte> Der { get; }
    internal IReadOnlyList<NameAttribute> Attributes { get; }
    internal string Text { get; }

    private static NameAttribute ReadAttribute(Asn1Sequence attribute)
    {
        if (attribute.Count != 2) throw new ArgumentException("An attribute is a type and a value.");
        var oid = DerObjectIdentifier.GetInstance(attribute[0]).Id;
        var type = ShortNames.GetValueOrDefault(oid, oid);
        var value = attribute[1];
        return StrictDer.StringTypeOf(value) is { } stringType
            ? new NameAttribute(type, StrictDer.Text(value), stringType)
            : new NameAttribute(type, '#' + Convert.ToHexStringLower(value.GetDerEncoded()), value.ToAsn1Object().GetType().Name);
    }

    /// <summary>Control characters could forge a line of a report, so they are escaped.</summary>
    private static string Escape(string value) =>
        value.Any(char.IsControl) ? string.Concat(value.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString())) : value;
}

/// <summary>Reads with BouncyCastle, but as strictly as DER is defined, like Go and rustls.</summary>
internal static class StrictDer
{
    /// <summary>Reads one object that fills all bytes and encodes to itself.</summary>
    internal static Asn1Object Read(byte[] der)
    {
        var read = Asn1Object.FromByteArray(der);
        return read.GetDerEncoded().AsSpan().SequenceEqual(der) ? read : throw new ArgumentException("It is BER, not DER.");
    }

    /// <summary>The ASN.1 type of a string; null for anything else.</summary>
    internal static string? StringTypeOf(Asn1Encodable value) => value switch
    {
        DerUtf8String => "UTF8String",
        DerPrintableString => "PrintableString",
        DerIA5String => "IA5String",
        DerBmpString => "BMPString",
        DerT61String => "T61String",
        DerVisibleString => "VisibleString",
        DerNumericString => "NumericString",
        _ => null,
    };

    /// <summary>A string with only the characters that its type allows: BouncyCastle replaces others.</summary>
    internal static string Text(Asn1Encodable value)
    {
        var text = ((IAsn1String)value).GetString();
        var isAllowed = value switch
        {
            DerPrintableString => new DerPrintableString(text).Equals(value) && DerPrintableString.IsPrintableString(text),
            DerNumericString => new DerNumericString(text).Equals(value) && DerNumericString.IsNumericString(text),
            DerVisibleString => new DerVisibleString(text).Equals(value) && text.All(c => c is >= ' ' and <= '~'),
            DerIA5String => new DerIA5String(text).Equals(value),
            _ => true,
        };
        return isAllowed ? text : throw new ArgumentException("It has characters that its type does not allow.");
    }
}
