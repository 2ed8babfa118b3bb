using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5025: keys lie safely on disk, and the certificates would please a linter.</summary>
public sealed class FilesAndLintCheck : TrustCheck
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private static readonly (string Rule, Func<CertificateDocument, bool> Breaks, string Hint)[] Rules =
    [
        ("the key usage is not critical (RFC 5280 section 4.2.1.3)", c => c is { KeyUsage: not null, KeyUsageCritical: false }, "Issue anew with critical key usage."),
        ("a CA carries keyEncipherment (RFC 3279 section 2.3.1)", c => c.IsCa && c.KeyUsage?.HasFlag(CertificateKeyUsage.KeyEncipherment) == true, "Harmless to peers; Istio's Makefile does it. Issue anew with MeshTrust when due."),
        ("the subject is empty (RFC 5280 section 4.1.2.6)", c => c.SubjectAttributes.Count == 0, "Give every CA a subject."),
        ("the subject uses a string type other than UTF8String and PrintableString (RFC 5280 section 4.1.2.4)", c => c.SubjectAttributes.Any(a => a.StringType is not ("UTF8String" or "PrintableString") && a.Type is not ("DC" or "emailAddress")), "Write names as UTF8String."),
        ("a self-signed root carries extended key usage (CA/Browser Forum BR 7.1.2.1)", c => c.IsSelfIssued && c.ExtendedKeyUsages.Count > 0, "Issue roots without extended key usage."),
    ];

    /// <inheritdoc/>
    public override string Id => "MT5025";

    /// <inheritdoc/>
    public override string Title => "keys lie safely on disk, and certificates are clean";

    /// <inheritdoc/>
    public override string Citation => "RFC 5280 section 4; RFC 3279 section 2.3.1; istio tools/certs (keys in the working directory)";

    /// <inheritdoc/>
    public override string? NotApplicable(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Files is null ? base.NotApplicable(snapshot) : null;
    }

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return (snapshot.Files is { } files ? Files(files) : []).Concat(Lint(snapshot)).Concat(Names(snapshot));
    }

    private IEnumerable<TrustFinding> Files(TrustStoreSnapshot store)
    {
        foreach (var fault in store.Unread)
        {
            yield return Error(null, fault, "Run as the user who owns the trust store.") with { CouldNotCheck = true };
        }

        foreach (var key in store.Files.Where(f => f.Path.EndsWith("-key.pem", StringComparison.Ordinal)))
        {
            if (key.Mode is { } mode && (mode & Others) != 0) yield return Error(null, $"{key.Path} is readable by group or others ({Octal(mode)}).", $"chmod 600 {key.Path}; whoever could read it may have a copy.");
            if (key.TrackedByGit) yield return Error(null, $"{key.Path} is kept in git: everyone with the repository has the key.", "Remove it from the repository and its history, and issue anew.");
            if (key.Path.EndsWith("/root-key.pem", StringComparison.Ordinal)) yield return Error(null, $"{key.Path}: the root key lies in a cluster's directory, from where it is easily pushed.", "Move it out of the cluster's directory.");
        }

        foreach (var (path, mode) in store.Directories.Where(d => (d.Value & Others) != 0))
        {
            yield return Warning(null, $"The directory {(path == "." ? store.Directory : path)} of the trust store is open to group or others ({Octal(mode)}).", "chmod 700 it: it holds keys.");
        }
    }

    private IEnumerable<TrustFinding> Lint(TrustSnapshot snapshot)
    {
        var held = snapshot.Clusters.Where(c => c.Bundle is not null).SelectMany(c => c.Bundle!.All.Select(e => e.Certificate)).Distinct().ToList();
        foreach (var (rule, breaks, remedy) in Rules)
        {
            var guilty = held.Where(breaks).ToList();
            if (guilty.Count == 0) continue;
            var names = string.Join("; ", guilty.Select(c => $"'{c.Subject}'").Distinct().Take(4));
            yield return Warning(null, $"In {guilty.Count} certificate{(guilty.Count == 1 ? "" : "s")} {rule}: {names}{(guilty.Count > 4 ? " and more" : "")}.", remedy);
        }
    }

    private IEnumerable<TrustFinding> Names(TrustSnapshot snapshot)
    {
        foreach (var cluster in snapshot.Clusters)
        {
            if (cluster.Bundle is not { Ca: { } ca } bundle) continue;
            if (bundle.Roots.Any(r => !r.Equals(ca) && r.RawSubject.Span.SequenceEqual(ca.RawSubject.Span)))
            {
                yield return Warning(cluster, $"The intermediate of '{cluster.Name}' has the same subject as its root, '{ca.Subject}': tools and CRLs cannot tell them apart.", "Issue it with a subject of its own (L=<cluster>).");
            }
        }

        var cas = snapshot.Clusters.Where(c => c.Bundle?.Ca is not null).ToList();
        foreach (var twins in cas.GroupBy(c => Convert.ToHexString(c.Bundle!.Ca!.RawSubject.Span)).Where(g => g.Select(c => c.Bundle!.Ca!.Sha256).Distinct().Count() > 1))
        {
            yield return Warning(null, $"The intermediates of {string.Join(", ", twins.Take(6).Select(c => $"'{c.Name}'"))} have the same subject '{twins.First().Bundle!.Ca!.Subject}'.", "Give each its cluster's name (L=<cluster>).");
        }
    }

    private static string Octal(UnixFileMode mode) => "0" + Convert.ToString((int)mode, 8);
}
