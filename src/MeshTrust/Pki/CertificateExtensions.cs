using System.Formats.Asn1;

namespace MeshTrust.Pki;

/// <summary>The extensions of a certificate (RFC 5280 section 4.2) that a CA or a workload certificate of Istio may carry.</summary>
internal sealed class CertificateExtensions
{
    internal const string SubjectKeyIdentifierOid = "2.5.29.14";
    internal const string KeyUsageOid = "2.5.29.15";
    internal const string SubjectAlternativeNameOid = "2.5.29.17";
    internal const string BasicConstraintsOid = "2.5.29.19";
    internal const string NameConstraintsOid = "2.5.29.30";
    internal const string AuthorityKeyIdentifierOid = "2.5.29.35";
    internal const string ExtendedKeyUsageOid = "2.5.29.37";

    private readonly List<string> _oids = [];
    private readonly List<string> _criticalOids = [];
    private readonly List<string> _extendedKeyUsages = [];
    private readonly List<string> _permittedUris = [];
    private readonly List<string> _excludedUris = [];
    private readonly List<string> _permittedDns = [];
    private readonly List<string> _excludedDns = [];
    private readonly List<string> _dnsNames = [];
    private readonly List<string> _uris = [];

    private CertificateExtensions()
    {
    }

    internal static CertificateExtensions None { get; } = new();

    internal IReadOnlyList<string> ExtensionOids => _oids;

    internal IReadOnlyList<string> CriticalExtensionOids => _criticalOids;

    internal string? SubjectKeyId { get; private set; }

    internal string? AuthorityKeyId { get; private set; }

    internal bool AuthorityNamesIssuerAndSerial { get; private set; }

    internal string? AuthoritySerialNumber { get; private set; }

    internal bool HasBasicConstraints { get; private set; }

    internal bool IsCa { get; private set; }

    internal int? PathLength { get; private set; }

    internal CertificateKeyUsage? KeyUsage { get; private set; }

    internal IReadOnlyList<string> ExtendedKeyUsages => _extendedKeyUsages;

    internal IReadOnlyList<string> PermittedUris => _permittedUris;

    internal IReadOnlyList<string> ExcludedUris => _excludedUris;

    internal IReadOnlyList<string> PermittedDns => _permittedDns;

    internal IReadOnlyList<string> ExcludedDns => _excludedDns;

    internal IReadOnlyList<string> DnsNames => _dnsNames;

    internal IReadOnlyList<string> Uris => _uris;

    internal bool IsCritical(string oid) => _criticalOids.Contains(oid);

    internal static CertificateExtensions Read(AsnReader explicitTag)
    {
        var result = new CertificateExtensions();
        var list = explicitTag.ReadSequence();
        explicitTag.ThrowIfNotEmpty();
        while (list.HasData)
        {
            var extension = list.ReadSequence();
            var oid = extension.ReadObjectIdentifier();
            var critical = extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean();
            var value = extension.ReadOctetString();
            extension.ThrowIfNotEmpty();
            // RFC 5280 section 4.2: no more than one of a kind. Go refuses such a certificate too.
            if (result._oids.Contains(oid)) throw new FormatException($"it has the extension {oid} twice.");
            result._oids.Add(oid);
            if (critical) result._criticalOids.Add(oid);
            result.ReadValue(oid, new AsnReader(value, AsnEncodingRules.DER));
        }

        return result;
    }

    private void ReadValue(string oid, AsnReader value)
    {
        switch (oid)
        {
            case SubjectKeyIdentifierOid:
                SubjectKeyId = Convert.ToHexStringLower(value.ReadOctetString());
                break;
            case KeyUsageOid:
                KeyUsage = (CertificateKeyUsage)(int)value.ReadNamedBitListValue<KeyUsageBits>();
                break;
            case SubjectAlternativeNameOid:
                ReadGeneralNames(value.ReadSequence());
                break;
            case BasicConstraintsOid:
                ReadBasicConstraints(value.ReadSequence());
                break;
            case NameConstraintsOid:
                ReadNameConstraints(value.ReadSequence());
                break;
            case AuthorityKeyIdentifierOid:
                ReadAuthorityKeyIdentifier(value.ReadSequence());
                break;
            case ExtendedKeyUsageOid:
                var usages = value.ReadSequence();
                while (usages.HasData) _extendedKeyUsages.Add(usages.ReadObjectIdentifier());
                break;
            default:
                return;
        }

        value.ThrowIfNotEmpty();
    }

    private void ReadBasicConstraints(AsnReader constraints)
    {
        HasBasicConstraints = true;
        if (constraints.HasData && constraints.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean)) IsCa = constraints.ReadBoolean();
        if (constraints.HasData)
        {
            if (!constraints.TryReadInt32(out var length) || length < 0) throw new FormatException("its path length is no number of CAs.");
            PathLength = length;
        }

        constraints.ThrowIfNotEmpty();
    }

    private void ReadAuthorityKeyIdentifier(AsnReader identifier)
    {
        while (identifier.HasData)
        {
            var tag = identifier.PeekTag();
            if (tag is { TagClass: TagClass.ContextSpecific, TagValue: 0 })
            {
                AuthorityKeyId = Convert.ToHexStringLower(identifier.ReadOctetString(new Asn1Tag(TagClass.ContextSpecific, 0)));
            }
            else
            {
                AuthorityNamesIssuerAndSerial = true;
                if (tag is { TagClass: TagClass.ContextSpecific, TagValue: 2 }) AuthoritySerialNumber = Convert.ToHexStringLower(identifier.ReadIntegerBytes(tag).Span);
                else identifier.ReadEncodedValue();
            }
        }
    }

    private void ReadGeneralNames(AsnReader names)
    {
        while (names.HasData)
        {
            switch (ReadGeneralName(names))
            {
                case (2, { } dns): _dnsNames.Add(dns); break;
                case (6, { } uri): _uris.Add(uri); break;
            }
        }
    }

    private void ReadNameConstraints(AsnReader constraints)
    {
        while (constraints.HasData)
        {
            var permitted = constraints.PeekTag().TagValue == 0;
            var subtrees = constraints.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, permitted ? 0 : 1));
            while (subtrees.HasData)
            {
                // The minimum and maximum that may follow are never used (RFC 5280 section 4.2.1.10).
                switch (ReadGeneralName(subtrees.ReadSequence()))
                {
                    case (2, { } dns): (permitted ? _permittedDns : _excludedDns).Add(dns); break;
                    case (6, { } uri): (permitted ? _permittedUris : _excludedUris).Add(uri); break;
                }
            }
        }
    }

    private static (int Tag, string? Value) ReadGeneralName(AsnReader reader)
    {
        var tag = reader.PeekTag();
        if (tag is { TagClass: TagClass.ContextSpecific, TagValue: 1 or 2 or 6 })
        {
            return (tag.TagValue, reader.ReadCharacterString(UniversalTagNumber.IA5String, new Asn1Tag(TagClass.ContextSpecific, tag.TagValue)));
        }

        reader.ReadEncodedValue();
        return (tag.TagValue, null);
    }

    // AsnReader wants a [Flags] enum of its own numbering: bit n of the list is 1 << n, which CertificateKeyUsage is too.
    [Flags]
    private enum KeyUsageBits
    {
        None = 0,
        All = 0x1ff,
    }
}
