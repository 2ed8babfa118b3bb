using System.Formats.Asn1;

namespace MeshTrust.Pki;

/// <summary>A distinguished name: its bytes, and what they say.</summary>
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

    internal required ReadOnlyMemory<byte> Der { get; init; }

    internal required IReadOnlyList<NameAttribute> Attributes { get; init; }

    internal string Text => string.Join(", ", Attributes.Select(a => $"{a.Type}={Escape(a.Value)}"));

    internal static DistinguishedName Read(ReadOnlyMemory<byte> der)
    {
        var attributes = new List<NameAttribute>();
        var name = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        while (name.HasData)
        {
            var relative = name.ReadSetOf();
            while (relative.HasData)
            {
                var attribute = relative.ReadSequence();
                var oid = attribute.ReadObjectIdentifier();
                var (value, type) = ReadValue(attribute);
                attribute.ThrowIfNotEmpty();
                attributes.Add(new NameAttribute(ShortNames.GetValueOrDefault(oid, oid), value, type));
            }
        }

        return new DistinguishedName { Der = der, Attributes = attributes };
    }

    private static (string Value, string Type) ReadValue(AsnReader reader)
    {
        var tag = reader.PeekTag();
        if (tag.TagClass == TagClass.Universal)
        {
            var kind = (UniversalTagNumber)tag.TagValue;
            if (kind is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String
                or UniversalTagNumber.BMPString or UniversalTagNumber.T61String or UniversalTagNumber.VisibleString or UniversalTagNumber.NumericString)
            {
                return (reader.ReadCharacterString(kind), kind.ToString());
            }
        }

        return ('#' + Convert.ToHexStringLower(reader.ReadEncodedValue().Span), tag.ToString());
    }

    /// <summary>Control characters could forge a line of a report, so they never come out as they are.</summary>
    private static string Escape(string value) =>
        value.Any(char.IsControl) ? string.Concat(value.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString())) : value;
}
