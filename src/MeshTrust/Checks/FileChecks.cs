using MeshTrust.IO;
using MeshTrust.Pki;
using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>How keys are stored on disk, and what a linter reports about the certificates.</summary>
internal static class FileChecks
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private static readonly (string Rule, Func<CertificateDocument, bool> Breaks, string Hint)[] Lint =
    [
        ("the key usage is not critical (RFC 5280 section 4.2.1.3)",
            c => c is { KeyUsage: not null, KeyUsageCritical: false },
            "Reissue it with critical key usage."),
        ("a CA carries keyEncipherment (RFC 3279 section 2.3.1)",
            c => c.IsCa && c.KeyUsage?.HasFlag(CertificateKeyUsage.KeyEncipherment) == true,
            "Harmless for peers (Istio's Makefile does the same). Reissue it with MeshTrust at the next renewal."),
        ("the subject is empty (RFC 5280 section 4.1.2.6)",
            c => c.IsCa && c.SubjectAttributes.Count == 0,
            "Give every CA a subject."),
        ("a certificate that is not a CA has a path length or name constraints (RFC 5280 sections 4.2.1.9 and 4.2.1.10)",
            c => !c.IsCa && (c.PathLength is not null || c.HasNameConstraints),
            "Reissue it without them."),
        ("there are extensions, but the version is not 3 (RFC 5280 section 4.1.2.1)",
            c => c.Version != 3 && c.ExtensionOids.Count > 0,
            "Reissue it as version 3."),
        ("the subject uses a string type other than UTF8String and PrintableString (RFC 5280 section 4.1.2.4)",
            c => c.SubjectAttributes.Any(a =>
                a.StringType is not ("UTF8String" or "PrintableString") && a.Type is not ("DC" or "emailAddress")),
            "Encode names as UTF8String."),
        ("a self-signed root has extended key usage (CA/Browser Forum BR 7.1.2.1)",
            c => c.IsSelfIssued && c.ExtendedKeyUsages.Count > 0,
            "Issue roots without extended key usage."),
    ];

    public static IReadOnlyList<Check<TrustSnapshot>> Rows { get; } =
    [
        Row("MT5025", "key files are private, and certificates pass lint rules",
            "RFC 5280 section 4; RFC 3279 section 2.3.1; istio tools/certs (keys in the working directory)",
            snapshot =>
            [
                .. Files(snapshot.Files),
                .. Linted(snapshot.Clusters.SelectMany(c => c.Bundle?.All ?? []).Select(entry => entry.Certificate)),
                .. Names(snapshot),
            ],
            notApplicable: snapshot => snapshot.Files is null ? NoSecret(snapshot) : null),
    ];

    internal static IEnumerable<Finding> Files(TrustStoreSnapshot? store)
    {
        if (store is null) yield break;
        foreach (var fault in store.Unread)
            yield return Error(fault, "Run as the user who owns the trust store.") with { CouldNotCheck = true };
        foreach (var key in store.Files.Where(f => StoreFile.IsKey(f.Path)))
        {
            if (key.Mode is { } mode && (mode & Others) != 0)
            {
                yield return Error($"{key.Path} is readable by group or others ({Octal(mode)}).",
                    $"Run: chmod 600 {key.Path}. Anyone who could read the file may have copied the key.");
            }

            if (key.TrackedByGit)
            {
                yield return Error($"{key.Path} is tracked by git: everyone with access to the repository has the key.",
                    "Remove it from the repository and its history, and issue a new key.");
            }

            if (key.Path.EndsWith($"/{CacertsFile.RootKey}", StringComparison.Ordinal))
            {
                yield return Error($"{key.Path}: the root key is in a cluster's directory, where it is easily pushed by mistake.",
                    "Move it out of the cluster's directory.");
            }
        }

        foreach (var (path, mode) in store.Directories.Where(d => (d.Value & Others) != 0))
        {
            yield return Warning(
                $"The directory {(path == "." ? store.Directory : path)} of the trust store is open to group or others ({Octal(mode)}).",
                "Run chmod 700 on it: it contains keys.");
        }
    }

    internal static IEnumerable<Finding> Linted(IEnumerable<CertificateDocument> certificates)
    {
        var held = certificates.Distinct().ToList();
        foreach (var (rule, breaks, hint) in Lint)
        {
            var broken = held.Where(breaks).ToList();
            if (broken.Count == 0) continue;
            var names = string.Join("; ", broken.Select(c => $"'{c.Subject}'").Distinct().Take(4));
            yield return Warning($"In {Text.Count(broken.Count, "certificate")} {rule}: {names}{(broken.Count > 4 ? " and more" : "")}.",
                hint);
        }
    }

    private static IEnumerable<Finding> Names(TrustSnapshot snapshot)
    {
        var cas = (from cluster in snapshot.Clusters
                   where cluster.Bundle?.Ca is not null
                   select (cluster.Name, Bundle: cluster.Bundle!, Ca: cluster.Bundle!.Ca!)).ToList();
        foreach (var (cluster, bundle, ca) in cas)
        {
            if (bundle.Roots.Any(r => !r.Equals(ca) && r.RawSubject.Span.SequenceEqual(ca.RawSubject.Span)))
            {
                yield return Warning(
                    $"The intermediate of '{cluster}' has the same subject as its root, '{ca.Subject}': tools and CRLs cannot"
                    + " distinguish them.",
                    "Issue it with its own subject (L=<cluster>).").In(cluster.Value);
            }
        }

        var groups = cas.GroupBy(c => Convert.ToHexString(c.Ca.RawSubject.Span));
        foreach (var twins in groups.Where(g => g.Select(c => c.Ca).Distinct().Count() > 1))
        {
            var names = string.Join(", ", twins.Take(6).Select(c => $"'{c.Name}'"));
            yield return Warning($"The intermediates of {names} have the same subject '{twins.First().Ca.Subject}'.",
                "Add the cluster's name to each subject (L=<cluster>).");
        }
    }

    private static string Octal(UnixFileMode mode) => "0" + Convert.ToString((int)mode, 8);
}
