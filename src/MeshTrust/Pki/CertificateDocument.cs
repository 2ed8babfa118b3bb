using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using MeshTrust.IO;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Pki;

/// <summary>A certificate with every property that a check needs. Immutable; equal if the DER is equal.</summary>
/// <remarks>
/// Only strict DER is accepted: anything that does not re-encode to itself is rejected. So the bytes of names and keys are those of the
/// certificate, and comparisons are exact.
/// </remarks>
public sealed class CertificateDocument : IEquatable<CertificateDocument>
{
    private readonly byte[] _signedPart;
    private readonly byte[] _signature;
    private readonly SignatureScheme _algorithm;
    private readonly DistinguishedName _subject;
    private readonly DistinguishedName _issuer;
    private readonly List<string> _extensionOids = [];
    private readonly List<string> _criticalOids = [];

    /// <summary>RFC 5280 section 4.1, part by part: BouncyCastle would reject certificates that the checks must report on.</summary>
    private CertificateDocument(byte[] der)
    {
        Der = der;
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(der));
        if (StrictDer.Read(der) is not Asn1Sequence { Count: 3 } certificate) throw new ArgumentException("A certificate has three parts.");
        var signature = DerBitString.GetInstance(certificate[2]);
        if (signature.PadBits != 0) throw new FormatException("its signature is not a whole number of bytes.");
        _signature = signature.GetBytes();
        _signedPart = certificate[0].GetDerEncoded();
        var parts = new Queue<Asn1Encodable>(Asn1Sequence.GetInstance(certificate[0]));
        Version = 1;
        if (parts.Peek() is Asn1TaggedObject { TagNo: 0 })
        {
            var version = DerInteger.GetTagged((Asn1TaggedObject)parts.Dequeue(), declaredExplicit: true);
            if (!version.TryGetIntValueExact(out var number) || number is < 0 or > 2)
                throw new FormatException("its version is not 1, 2 or 3.");
            Version = number + 1;
        }

        SerialBytes = DerInteger.GetInstance(parts.Dequeue()).Value.ToByteArray();
        var innerAlgorithm = AlgorithmIdentifier.GetInstance(parts.Dequeue());
        _issuer = new DistinguishedName(parts.Dequeue());
        var validity = Validity.GetInstance(parts.Dequeue());
        (NotBefore, NotAfter) = (validity.NotBefore.ToDateTime(), validity.NotAfter.ToDateTime());
        _subject = new DistinguishedName(parts.Dequeue());
        Key = PublicKeyInfo.Read(parts.Dequeue());
        // issuerUniqueID [1] and subjectUniqueID [2]: never used, skipped.
        while (parts.TryPeek(out var part) && part is Asn1TaggedObject { TagNo: 1 or 2 }) parts.Dequeue();
        if (parts.TryDequeue(out var last))
        {
            var extensions = Asn1TaggedObject.GetInstance(last, Asn1Tags.ContextSpecific, 3);
            ReadExtensions(Asn1Sequence.GetTagged(extensions, declaredExplicit: true));
        }

        if (parts.Count > 0) throw new ArgumentException("It has more parts.");

        var outerAlgorithm = AlgorithmIdentifier.GetInstance(certificate[1]);
        _algorithm = SignatureScheme.Read(outerAlgorithm);
        SignatureAlgorithmsAgree = outerAlgorithm.Equals(innerAlgorithm);
    }

    /// <summary>The whole certificate.</summary>
    public ReadOnlyMemory<byte> Der { get; }

    /// <summary>SHA-256 of <see cref="Der"/>, lower-case hex without separators.</summary>
    public string Sha256 { get; }

    /// <summary>The subject in the order of its DER, for instance <c>O=Istio, CN=Root CA</c>.</summary>
    public string Subject => _subject.Text;

    /// <summary>The issuer in the order of its DER.</summary>
    public string Issuer => _issuer.Text;

    /// <summary>The serial number as lower-case hex of its content octets.</summary>
    public string SerialNumber => Convert.ToHexStringLower(SerialBytes.Span);

    /// <summary>Valid from, UTC.</summary>
    public DateTimeOffset NotBefore { get; }

    /// <summary>Valid until and including, UTC.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <summary>X.509 version: 1, 2 or 3.</summary>
    internal int Version { get; }

    internal ReadOnlyMemory<byte> RawSubject => _subject.Der;
    internal ReadOnlyMemory<byte> RawIssuer => _issuer.Der;
    internal IReadOnlyList<NameAttribute> SubjectAttributes => _subject.Attributes;

    /// <summary>The content octets of the serial number, big-endian; a first byte above 0x7f means a negative number.</summary>
    internal ReadOnlyMemory<byte> SerialBytes { get; }

    internal string? SubjectKeyId { get; private set; }

    /// <summary>The key identifier of the authority key identifier, lower-case hex; null if absent.</summary>
    internal string? AuthorityKeyId { get; private set; }

    /// <summary>Whether the authority key identifier names issuer and serial: it breaks when the parent is renewed with its key.</summary>
    internal bool AuthorityNamesIssuerAndSerial { get; private set; }

    /// <summary>The serial number of the issuer in the authority key identifier, lower-case hex; null if it names none.</summary>
    internal string? AuthoritySerialNumber { get; private set; }

    internal bool HasBasicConstraints => _extensionOids.Contains(X509Extensions.BasicConstraints.Id);
    internal bool BasicConstraintsCritical => _criticalOids.Contains(X509Extensions.BasicConstraints.Id);
    internal bool IsCa { get; private set; }

    /// <summary>How many CAs are allowed below this one; null for any number.</summary>
    internal int? PathLength { get; private set; }

    /// <summary>Null if the extension is absent, which means any usage.</summary>
    internal CertificateKeyUsage? KeyUsage { get; private set; }

    internal bool KeyUsageCritical => _criticalOids.Contains(X509Extensions.KeyUsage.Id);

    /// <summary>OIDs; empty if the extension is absent.</summary>
    internal IReadOnlyList<string> ExtendedKeyUsages { get; private set; } = [];

    internal bool HasNameConstraints => _extensionOids.Contains(X509Extensions.NameConstraints.Id);
    internal bool NameConstraintsCritical => _criticalOids.Contains(X509Extensions.NameConstraints.Id);

    /// <summary>Hosts of URIs (RFC 5280 section 4.2.1.10).</summary>
    internal IReadOnlyList<string> PermittedUris { get; private set; } = [];

    internal IReadOnlyList<string> ExcludedUris { get; private set; } = [];
    internal IReadOnlyList<string> PermittedDns { get; private set; } = [];
    internal IReadOnlyList<string> ExcludedDns { get; private set; } = [];
    internal IReadOnlyList<string> PermittedSubjects { get; private set; } = [];
    internal IReadOnlyList<string> ExcludedSubjects { get; private set; } = [];

    /// <summary>Of the subject alternative name, as <see cref="Uris"/>.</summary>
    internal IReadOnlyList<string> DnsNames { get; private set; } = [];

    internal IReadOnlyList<string> Uris { get; private set; } = [];
    internal IReadOnlyList<string> ExtensionOids => _extensionOids;
    internal IReadOnlyList<string> CriticalExtensionOids => _criticalOids;

    /// <summary>For instance <c>sha256WithRSAEncryption</c>; the OID if the name is unknown.</summary>
    internal string SignatureAlgorithm => _algorithm.Name;

    /// <summary>The hash under the signature, such as <c>SHA-256</c>; null if it has none of its own (Ed25519) or is unknown.</summary>
    internal string? SignatureHash => _algorithm.Hash;

    /// <summary>Whether the algorithm inside the signed part matches the one outside it (RFC 5280 section 4.1.1.2).</summary>
    internal bool SignatureAlgorithmsAgree { get; }

    /// <summary>For instance <c>RSA 4096</c> or <c>ECDSA P-256</c>.</summary>
    internal string PublicKey => Key.Text;

    internal ReadOnlyMemory<byte> SubjectPublicKeyInfo => Key.Der;
    internal PublicKeyInfo Key { get; }
    internal bool IsSelfIssued => NamesIssuer(this);

    /// <summary>Whether its subject has this attribute.</summary>
    internal bool Has(string type, string value) => SubjectAttributes.Any(a => a.Type == type && a.Value == value);

    /// <summary>Whether its issuer matches the other's subject, byte for byte.</summary>
    internal bool NamesIssuer(CertificateDocument issuer) => RawIssuer.Span.SequenceEqual(issuer.RawSubject.Span);

    /// <summary>Whether both have one name and one key: what one of them issued verifies under the other too.</summary>
    internal bool IsRenewalOf(CertificateDocument other) =>
        RawSubject.Span.SequenceEqual(other.RawSubject.Span) && SubjectPublicKeyInfo.Span.SequenceEqual(other.SubjectPublicKeyInfo.Span);

    /// <summary>Reads a certificate.</summary>
    /// <exception cref="FormatException">The bytes are not a certificate; the message says why.</exception>
    internal static CertificateDocument FromDer(ReadOnlyMemory<byte> der) =>
        TryFromDer(der, out var certificate, out var reason) ? certificate : throw new FormatException(reason);

    /// <summary>Reads a certificate. Never throws; the reason is a sentence.</summary>
    internal static bool TryFromDer(
        ReadOnlyMemory<byte> der, [NotNullWhen(true)] out CertificateDocument? certificate, [NotNullWhen(false)] out string? reason)
    {
        (certificate, reason) = (null, null);
        try
        {
            certificate = new CertificateDocument(der.ToArray());
            return true;
        }
        // BouncyCastle throws many exception types for invalid bytes.
        catch (Exception fault)
        {
            reason = fault is FormatException ? fault.Message : "its DER is invalid.";
            return false;
        }
    }

    /// <summary>Whether the signature was made with the other's key. Names, times and extensions do not matter.</summary>
    internal bool IsSignedBy(CertificateDocument issuer) => issuer.Key.Verify(_algorithm, _signedPart, _signature);

    /// <summary>One PEM block, 64 characters per line, ending with a line feed.</summary>
    public string ToPem() => PemEncoding.WriteString(PemLabel.Certificate, Der.Span) + "\n";

    /// <inheritdoc/>
    public bool Equals(CertificateDocument? other) => other is not null && Der.Span.SequenceEqual(other.Der.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CertificateDocument);

    /// <inheritdoc/>
    public override int GetHashCode() => Sha256.GetHashCode(StringComparison.Ordinal);

    /// <summary>Subject, expiry and the start of the fingerprint.</summary>
    public override string ToString() => $"{Subject} (until {Text.Time(NotAfter)}, SHA-256 {Sha256[..16]})";

    private void ReadExtensions(Asn1Sequence extensions)
    {
        foreach (var extension in extensions.Select(Asn1Sequence.GetInstance))
        {
            var oid = DerObjectIdentifier.GetInstance(extension[0]);
            var isCritical = extension.Count == 3 && DerBoolean.GetInstance(extension[1]).IsTrue;
            if (extension.Count is not (2 or 3)) throw new ArgumentException("An extension has two or three parts.");
            // RFC 5280 section 4.2: no more than one of a kind. Go rejects such a certificate too.
            if (_extensionOids.Contains(oid.Id)) throw new FormatException($"it has the extension {oid.Id} twice.");
            _extensionOids.Add(oid.Id);
            if (isCritical) _criticalOids.Add(oid.Id);
            ReadExtension(oid, Asn1OctetString.GetInstance(extension[^1]).GetOctets());
        }
    }

    private void ReadExtension(DerObjectIdentifier oid, byte[] value)
    {
        if (oid.Equals(X509Extensions.SubjectKeyIdentifier))
        {
            SubjectKeyId = Convert.ToHexStringLower(SubjectKeyIdentifier.GetInstance(StrictDer.Read(value)).GetKeyIdentifier());
        }
        else if (oid.Equals(X509Extensions.KeyUsage))
        {
            KeyUsage = ReadKeyUsage(DerBitString.GetInstance(StrictDer.Read(value)));
        }
        else if (oid.Equals(X509Extensions.SubjectAlternativeName))
        {
            var names = GeneralNames.GetInstance(StrictDer.Read(value)).GetNames();
            (DnsNames, Uris) = (NamesOf(GeneralName.DnsName, names), NamesOf(GeneralName.UniformResourceIdentifier, names));
        }
        else if (oid.Equals(X509Extensions.BasicConstraints))
        {
            var constraints = BasicConstraints.GetInstance(StrictDer.Read(value));
            IsCa = constraints.IsCA();
            if (constraints.PathLenConstraintInteger is not { } length) return;
            if (!length.TryGetIntValueExact(out var number) || number < 0)
                throw new FormatException("its path length is not a valid number.");
            PathLength = number;
        }
        else if (oid.Equals(X509Extensions.NameConstraints))
        {
            var constraints = Org.BouncyCastle.Asn1.X509.NameConstraints.GetInstance(StrictDer.Read(value));
            var (permitted, excluded) = (Bases(constraints.PermittedSubtreesValue), Bases(constraints.ExcludedSubtreesValue));
            PermittedDns = NamesOf(GeneralName.DnsName, permitted);
            PermittedUris = NamesOf(GeneralName.UniformResourceIdentifier, permitted);
            ExcludedDns = NamesOf(GeneralName.DnsName, excluded);
            ExcludedUris = NamesOf(GeneralName.UniformResourceIdentifier, excluded);
            (PermittedSubjects, ExcludedSubjects) = (SubjectsOf(permitted), SubjectsOf(excluded));
        }
        else if (oid.Equals(X509Extensions.AuthorityKeyIdentifier))
        {
            var authority = AuthorityKeyIdentifier.GetInstance(StrictDer.Read(value));
            if (authority.KeyIdentifier is { } key) AuthorityKeyId = Convert.ToHexStringLower(key.GetOctets());
            if (authority.AuthorityCertSerialNumber is { } serial) AuthoritySerialNumber = Convert.ToHexStringLower(serial.ToByteArray());
            AuthorityNamesIssuerAndSerial = AuthoritySerialNumber is not null || authority.AuthorityCertIssuer is not null;
        }
        else if (oid.Equals(X509Extensions.ExtendedKeyUsage))
        {
            var usages = Asn1Sequence.GetInstance(StrictDer.Read(value));
            ExtendedKeyUsages = [.. usages.Select(usage => DerObjectIdentifier.GetInstance(usage).Id)];
        }
    }

    private static GeneralName[] Bases(GeneralSubtrees? subtrees) => [.. subtrees?.GetElements().Select(tree => tree.Base) ?? []];

    private static List<string> SubjectsOf(GeneralName[] names) =>
        [.. names.Where(name => name.TagNo == GeneralName.DirectoryName).Select(name => new DistinguishedName(name.Name).Text)];

    private static List<string> NamesOf(int tag, GeneralName[] names) =>
    [
        .. from name in names
        where name.Name is DerIA5String
        let text = StrictDer.Text(name.Name)
        where name.TagNo == tag
        select text,
    ];

    /// <summary>Bit n of the list is the flag 1 &lt;&lt; n. DER omits trailing zero bits (X.690 section 11.2.2).</summary>
    private static CertificateKeyUsage ReadKeyUsage(DerBitString bits)
    {
        var octets = bits.GetBytes();
        var count = (octets.Length * 8) - bits.PadBits;
        var usage = 0;
        for (var bit = 0; bit < count; bit++)
            if ((octets[bit / 8] & (0x80 >> (bit % 8))) != 0) usage |= 1 << bit;

        if (count > 9 || (count > 0 && (usage & (1 << (count - 1))) == 0)) throw new ArgumentException("Its key usage is broken.");
        return (CertificateKeyUsage)usage;
    }
}
