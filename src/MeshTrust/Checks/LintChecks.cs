using MeshTrust.IO;
using MeshTrust.Pki;
using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>What Lint looks at: files, without any cluster.</summary>
/// <param name="Mesh">The mesh's name.</param>
/// <param name="TrustDomain">The trust domain that name constraints must permit.</param>
/// <param name="Files">The files.</param>
/// <param name="Modes">The modes of key files and directories.</param>
/// <param name="At">When they are judged.</param>
internal sealed record LintReading(
    string Mesh, string TrustDomain, IReadOnlyList<PemFile> Files, IReadOnlyList<TrustStoreSnapshot> Modes, DateTimeOffset At)
{
    /// <summary>Reads what a user names: files and directories.</summary>
    /// <exception cref="MeshTrustException">As for <see cref="PemFiles.Read"/>.</exception>
    public static LintReading Read(string mesh, string trustDomain, IReadOnlyList<string> paths, DateTimeOffset at)
    {
        var files = PemFiles.Read(paths);
        var modes = paths.Select(path => Directory.Exists(path) ? TrustStoreSnapshot.Read(path) : TrustStoreSnapshot.OfFile(path));
        return new LintReading(mesh, trustDomain, files, [.. modes], at);
    }

    /// <summary>Each distinct certificate with the first file that holds it.</summary>
    public IReadOnlyList<(CertificateDocument Certificate, string File)> All => field ??=
        [.. Files.SelectMany(file => file.Certificates.Select(c => (c, file.Name))).DistinctBy(entry => entry.c)];

    /// <summary>A path from each certificate that issued no other one.</summary>
    public IReadOnlyList<LintPath> Paths
    {
        get
        {
            if (field is not null) return field;
            List<CertificateDocument> all = [.. All.Select(entry => entry.Certificate)];
            var paths = all.ToDictionary(c => c, c => CertificateChain.Path(c, all));
            // A path that a longer one ends with says nothing new.
            var whole = paths.Values.Where(path => !paths.Values.Any(other => other.IndexOf(path[0]) > 0));
            return field = [.. whole.Select(path => new LintPath(path, All))];
        }
    }
}

/// <summary>A certificate and its issuers among the files.</summary>
internal sealed record LintPath(
    IReadOnlyList<CertificateDocument> Path, IReadOnlyList<(CertificateDocument Certificate, string File)> Entries) : ICertificatePath
{
    public IReadOnlyList<CertificateDocument> Roots { get; } = [.. Path.Where(c => c.IsSelfIssued)];
    public IEnumerable<(CertificateDocument Certificate, string File)> All => Entries;

    /// <summary>Whether it is a root that nothing here depends on.</summary>
    public bool IsLeftOver(LintReading reading) => Path is [{ IsSelfIssued: true }] && reading.Paths.Count > 1;

    public string FileOf(CertificateDocument certificate) => Entries.First(entry => entry.Certificate.Equals(certificate)).File;
}

/// <summary>The rules of Verify that need no cluster, over any PEM files, and those for the certificate of a workload.</summary>
internal static class LintChecks
{
    private const string SubjectAlternativeName = "2.5.29.17";

    public static IReadOnlyList<Check<LintReading>> Rows { get; } =
    [
        As("MT5006", reading => reading.Files.SelectMany(Form)),
        As("MT5007", reading => [.. reading.Files.SelectMany(KeyForm), .. Each(reading, (_, e) => KeyChecks.AcceptedKey(e))]),
        As("MT5003", reading => reading.Files.SelectMany(file => KeyFit(reading, file))) with
        {
            Skip = reading => reading.All.Count > 0 && reading.Files.Any(file => file.Keys.Count > 0)
                ? null : Skip.NotApplicable("there is no key beside a certificate"),
        },
        As("MT5004", reading => reading.Files.Where(f => !f.Certificates.All(c => c.IsSelfIssued))
            .Select(f => ChainChecks.OutOfOrder(f.Certificates, f.Name) is { } finding ? finding with { Location = f.Name } : null)
            .OfType<Finding>()) with
        {
            // Whether it reaches the root is a question to all files of a cluster.
            Title = "in each file, every certificate is followed by its issuer",
            Skip = reading => reading.Files.Any(f => f.Certificates.Count > 1) ? null : Skip.NotApplicable("no file has two certificates"),
        },
        As("MT5008", reading => Each(reading, (path, e) => IsAuthority(path, e.Certificate) ? ChainChecks.CaBits(e) : [])),
        As("MT5009", reading => EachPath(reading, path =>
            ChainChecks.PathLengths(IsAuthority(path, path.Path[0]) ? path : path with { Path = [.. path.Path.Skip(1)] }))),
        As("MT5010", reading => Each(reading, (path, e) =>
            ChainChecks.Validity(path.IsLeftOver(reading) ? path with { Path = [] } : path, e, reading.At))),
        As("MT5011", reading => EachPath(reading, ChainChecks.Nesting)),
        As("MT5018", reading => Each(reading, (path, e) =>
            IsAuthority(path, e.Certificate) ? ChainChecks.Restrictions(e.Certificate, [reading.TrustDomain]) : [])),
        As("MT5019", reading => Each(reading, (path, e) => KeyChecks.Identifiers(path, e.Certificate))),
        As("MT5020", reading =>
            [.. Each(reading, (_, e) => KeyChecks.SignatureAndSerial(e.Certificate)), .. KeyChecks.SerialTwins(reading.All)]),
        As("MT5025", reading =>
            [.. reading.Modes.SelectMany(FileChecks.Files), .. FileChecks.Linted(reading.All.Select(e => e.Certificate))]),
        new("MT5027", "a workload's certificate has one SPIFFE id, and what both ends of mutual TLS need",
            "SPIFFE X.509-SVID sections 2 and 4; istio pkg/spiffe/spiffe.go, VerifyPeerCert; RFC 5280 section 4.2.1.6")
        {
            Inspect = reading => Each(reading, (path, e) =>
                IsAuthority(path, e.Certificate) ? [] : Workload(e.Certificate, reading.TrustDomain)),
            Skip = reading => reading.Paths.Any(p => !IsAuthority(p, p.Path[0])) ? null : Skip.NotApplicable("there is none"),
        },
    ];

    /// <summary>The row of Verify with this id, on files.</summary>
    private static Check<LintReading> As(string id, Func<LintReading, IEnumerable<Finding>> inspect)
    {
        Check<TrustSnapshot>[] rows = [.. SecretChecks.Rows, .. KeyChecks.Rows, .. ChainChecks.Rows, .. FileChecks.Rows];
        var row = rows.Single(r => r.Id == id);
        return new Check<LintReading>(id, row.Title, row.Source) { Inspect = inspect };
    }

    /// <summary>Once for each certificate, with a path through it.</summary>
    private static IEnumerable<Finding> Each(
        LintReading reading, Func<LintPath, (CertificateDocument Certificate, string File), IEnumerable<Finding>> inspect) =>
        from entry in reading.All
        from finding in inspect(reading.Paths.First(p => p.Path.Contains(entry.Certificate)), entry)
        select finding with { Location = entry.File };

    /// <summary>Once for each path; paths share their upper part.</summary>
    private static IEnumerable<Finding> EachPath(LintReading reading, Func<LintPath, IEnumerable<Finding>> inspect) =>
        (from path in reading.Paths
         from finding in inspect(path)
         select finding with { Location = path.FileOf(path.Path[0]) }).DistinctBy(finding => finding.Message);

    /// <summary>Whether rules for CAs apply: it says that it is one, issued another, or issued itself.</summary>
    private static bool IsAuthority(LintPath path, CertificateDocument certificate) =>
        certificate.IsCa || certificate.IsSelfIssued || !certificate.Equals(path.Path[0]);

    private static IEnumerable<Finding> Form(PemFile file)
    {
        var document = file.Document;
        foreach (var defect in document.Defects.Where(d => d != document.StrayText))
        {
            const string Hint = "Rewrite the file: one block after another, each ending with a line break.";
            yield return Error(defect, Hint) with { Location = file.Name };
        }

        if (document.StrayText is { } text)
            yield return Warning(text, "Keep only the PEM blocks in the file.") with { Location = file.Name };
        foreach (var twice in file.Certificates.GroupBy(c => c).Where(g => g.Count() > 1))
        {
            yield return Warning($"It contains '{twice.Key.Subject}' {twice.Count()} times. Some Java clients reject such a chain.",
                "Keep only one, unless a rotation is in progress.") with { Location = file.Name };
        }
    }

    private static IEnumerable<Finding> KeyForm(PemFile file) =>
        from key in file.Keys
        let reason = key.Fault ?? key.Key?.Refusal
        where reason is not null
        select Error(reason, "Write it as unencrypted PKCS#8, or create a key of another type.") with { Location = file.Name };

    /// <summary>A key fits the first certificate of a file beside it; without such a file, any certificate here.</summary>
    private static IEnumerable<Finding> KeyFit(LintReading reading, PemFile file)
    {
        var isRoot = Path.GetFileName(file.Name) == CacertsFile.RootKey;
        var beside = from other in reading.Files
                     where Path.GetDirectoryName(other.Name) == Path.GetDirectoryName(file.Name)
                     let isRoots = Path.GetFileName(other.Name) == CacertsFile.RootCert
                     where isRoot || !isRoots
                     from certificate in isRoots ? other.Certificates : other.Certificates.Take(1)
                     select (certificate, other.Name);
        var candidates = beside.ToList() is { Count: > 0 } found ? found : reading.All;
        foreach (var key in file.Keys.Select(k => k.Key).OfType<PrivateKeyPem>())
        {
            if (candidates.Count == 0 || candidates.Any(c => key.Matches(c.Item1))) continue;
            yield return Error(key.Mismatch(candidates[0].Item1, candidates[0].Item2)!,
                "Put a key and a certificate that were issued together there, or name the file of its certificate too.")
                with { Location = file.Name };
        }
    }

    private static IEnumerable<Finding> Workload(CertificateDocument leaf, string trustDomain)
    {
        const string Hint = "Issue it with WorkloadCerts, or let istiod issue it.";
        var name = leaf.Uris.Count > 0 ? string.Join(", ", leaf.Uris) : leaf.Subject;
        if (leaf.Uris.Count == 0) yield return Warning($"'{name}' has no SPIFFE id, so it belongs to no workload of the mesh.", Hint);
        else if (leaf.Uris.Count > 1)
            yield return Error($"It has {leaf.Uris.Count} URIs ({name}): istiod and peers reject more than one.", Hint);
        else if (leaf.Uris[0].Split('/') is not ["spiffe:", "", var domain, "ns", { Length: > 0 }, "sa", { Length: > 0 }])
            yield return Error($"'{name}' is not of the form spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICEACCOUNT.", Hint);
        else if (domain != trustDomain)
            yield return Warning($"'{name}' is of another trust domain than {trustDomain}.", "Set --trust-domain, or list it as an alias.");
        var isCritical = leaf.CriticalExtensionOids.Contains(SubjectAlternativeName);
        if (leaf.Uris.Count + leaf.DnsNames.Count > 0 && isCritical != (leaf.SubjectAttributes.Count == 0))
        {
            yield return Warning($"The names of '{name}' are {(isCritical ? "" : "not ")}critical, although its subject is "
                + $"{(isCritical ? "not " : "")}empty.", Hint);
        }

        if (leaf.ShutsOut(CertificateProfile.ServerAuthentication) || leaf.ShutsOut(CertificateProfile.ClientAuthentication))
            yield return Error($"'{name}' lacks serverAuth or clientAuth: it works on one end of mutual TLS only.", Hint);
        if (leaf.KeyUsage is { } usage && !usage.HasFlag(CertificateKeyUsage.DigitalSignature))
            yield return Error($"'{name}' lacks the key usage digitalSignature, which TLS 1.3 needs.", Hint);
        if (leaf.KeyUsage is { } signs && signs.HasFlag(CertificateKeyUsage.KeyCertSign))
            yield return Error($"'{name}' has the key usage keyCertSign, but it is not a CA (RFC 5280 section 4.2.1.9).", Hint);
    }
}

/// <summary>The result of Lint.</summary>
internal sealed record LintReport(string Mesh, IReadOnlyList<CheckReport> Rows, int Files, int Certificates) : ChecksReport(Mesh, Rows)
{
    public override string Word => "LINT";

    public override string Verdict =>
        $"{Text.Count(Certificates, "certificate")} in {Text.Count(Files, "file")}: {Text.Count(Rows.Count, "check")}, "
        + $"{CheckReport.Counts(Rows)}; {Text.Count(Errors, "error")}, {Text.Count(Warnings, "warning")}.";

    /// <summary>Runs every check. Pure: the same reading gives the same report.</summary>
    public static LintReport For(LintReading reading) => new(
        reading.Mesh, [.. LintChecks.Rows.Select(check => check.Run(reading))], reading.Files.Count, reading.All.Count);

    /// <summary>The errors as an exception; with <paramref name="strict"/> the warnings too.</summary>
    public MeshTrustException? ToFault(bool strict)
    {
        var found = Problems.Where(p => strict || p.Severity == Severity.Error).ToList();
        return found.Count == 0 ? null : new MeshTrustException(Stage.Verification, found);
    }
}
