using System.Text;
using MeshTrust.IO;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>
/// Keeps a push from breaking a running mesh: without --accept-outage it never replaces a root that workloads may hold, and without
/// --force it never takes over a secret that istiod generated. Pure: it decides from what was read.
/// </summary>
internal sealed class PushGuard(LiveTrust live, ClusterCacerts wanted, CacertsPushSettings settings)
{
    private readonly List<Problem> _problems = [];
    private readonly List<Problem> _warnings = [];
    private bool _rootDiffers;
    private bool _putsBack;

    internal static PushVerdict Inspect(LiveTrust live, ClusterCacerts wanted, string namespaceName, CacertsPushSettings settings) =>
        new PushGuard(live, wanted, settings).Judge(CacertsSecret.For(wanted, namespaceName));

    private PushVerdict Judge(SecretDocument secret)
    {
        var generated = live.Cacerts?.Data.ContainsKey(CacertsSecret.GeneratedMark) == true;
        JudgeRoot();
        if (live.Cacerts is { } cacerts)
        {
            if (generated) JudgeGenerated();
            if (cacerts.Data.ContainsKey(CacertsSecret.TlsCertificate)) RefuseTlsLayout(cacerts);
            else if (cacerts.Type != secret.Type) secret = KeepType(secret, cacerts);
            secret = KeepRootBytes(secret, cacerts);
            if (cacerts.Immutable == true && secret.Data.Any(d => Held(cacerts, d.Key)?.AsSpan().SequenceEqual(d.Value) != true))
            {
                Refuse("MT5206", "The secret cacerts is immutable, so it cannot be changed.",
                    $"Back it up, delete it (kubectl -n {secret.Namespace} delete secret {CacertsSecret.Name}) and rerun. "
                    + "istiod reads the new one at its next restart.");
            }
        }

        return new PushVerdict(secret, _problems, _warnings)
        {
            RemovesGeneratedMark = generated && settings.Force, RootDiffers = _rootDiffers, PutsBack = _putsBack,
        };
    }

    /// <summary>
    /// Judges the cluster's live root. istiod loads the secret at its next start; the published ConfigMaps are what workloads have now.
    /// Without either, istiod would use the secret of its self-signed CA.
    /// </summary>
    private void JudgeRoot()
    {
        var published = Published(live.RootConfigMap);
        if (Held(live.Cacerts, CacertsFile.RootCert) is { } bytes)
        {
            var secret = Parse(bytes);
            if (!Same(secret, Wanted()))
            {
                if (published is not null && Same(published, Wanted()) && !IsPublished(secret)) PutBack(secret);
                else RefuseRoot("the secret cacerts", secret);
            }
            else if (published is not null && !Same(published, Wanted()))
            {
                Warn("MT5219",
                    $"The secret cacerts already holds this root, but istiod still publishes {Describe(published)}, "
                    + "which is the root that workloads hold. istiod switches to the root of the secret at its next restart.",
                    "Do not restart istiod yet: a restart breaks mutual TLS until every workload has restarted too. "
                    + $"Plan it as a change of root ({Text.Docs}/existing-clusters.md).");
            }
        }
        else if (published is not null)
        {
            if (!Same(published, Wanted())) RefuseRoot($"the ConfigMap {LiveTrust.RootConfigMapName}", published);
        }
        else if ((Held(live.SelfSigned, CacertsFile.RootCert) ?? Held(live.SelfSigned, CacertsFile.CaCert)) is { } selfSigned)
        {
            if (!Same(Parse(selfSigned), Wanted()))
                RefuseRoot($"the secret {LiveTrust.SelfSignedName} of a self-signed istiod", Parse(selfSigned));
        }
    }

    /// <summary>Whether any namespace got a root from the secret that is not an intended one: workloads may then hold it.</summary>
    private bool IsPublished(PemDocument secret)
    {
        var foreign = secret.Certificates.Except(Wanted().Certificates).ToHashSet();
        return live.RootConfigMaps?.Any(map => Published(map)?.Certificates.Any(foreign.Contains) == true) == true;
    }

    private void PutBack(PemDocument secret)
    {
        (_rootDiffers, _putsBack) = (true, true);
        var what = secret.Certificates.Count > 0 ? $"the root {Describe(secret)}" : "a root that cannot be read";
        Warn("MT5221",
            $"The secret cacerts holds {what}, but istiod publishes {Describe(Wanted())} and no workload holds another root{Reach()}. "
            + "The secret is replaced by the right one.",
            "Find out what wrote the other secret. istiod keeps using the root that it has.");
    }

    private void RefuseRoot(string source, PemDocument held)
    {
        _rootDiffers = true;
        var readable = held.Certificates.Count > 0;
        var what = readable
            ? $"This cluster trusts the root {Describe(held)}, from {source}; the new one is {Describe(Wanted())}. "
                + $"Replacing it breaks mutual TLS with every workload that holds the old root{Reach()} until all of them have restarted."
            : $"The root in {source} cannot be read, "
                + $"so it is unknown whether the new one ({Describe(Wanted())}) would break running workloads{Reach()}.";
        if (settings.AcceptOutage)
        {
            Warn("MT5218", what,
                "You accepted the outage (--accept-outage). istiod loads the new root at its next restart. "
                + "From then on, until all workloads have restarted, calls between the old root and the new one fail.");
        }
        else
        {
            Refuse(readable ? "MT5201" : "MT5215", what,
                "To keep the cluster's root, pass it with --rootca-cert and --rootca-key. "
                + "To replace it now and accept an outage, pass --accept-outage. This cluster was not touched.");
        }
    }

    private void JudgeGenerated()
    {
        const string Message = "istiod generated the secret cacerts itself (USE_CACERTS_FOR_SELF_SIGNED_CA) and watches it";
        if (settings.Force) Warn("MT5202", $"{Message}. MeshTrust takes it over.", "istiod uses the new CA from its next restart on.");
        else
        {
            Refuse("MT5202", $"{Message}.",
                "Pass --force to take it over; istiod uses the new CA from its next restart on. This cluster was not touched.");
        }
    }

    private void RefuseTlsLayout(SecretDocument cacerts)
    {
        var mixed = cacerts.Data.ContainsKey(CacertsFile.CaCert) ? " as well as the *.pem keys" : "";
        Refuse("MT5203",
            $"The secret cacerts has the key '{CacertsSecret.TlsCertificate}'{mixed}. "
            + "With that key, istiod reads tls.crt, tls.key and ca.crt and ignores the *.pem keys.",
            "If cert-manager or another tool manages the secret, leave it alone. Otherwise back it up, delete it "
            + $"(kubectl -n {cacerts.Namespace} delete secret {cacerts.Name}) and rerun. This cluster was not touched.");
    }

    private SecretDocument KeepType(SecretDocument secret, SecretDocument held)
    {
        Warn("MT5217",
            $"The secret cacerts has the type '{held.Type}' instead of '{secret.Type}'. A secret's type cannot change, so it is kept.",
            "No action needed: istiod ignores the type.");
        return secret with { Type = held.Type };
    }

    /// <summary>
    /// istiod compares bytes: if one byte of root-cert.pem differs, it drops the whole update with the new intermediate, unless
    /// ISTIO_MULTIROOT_MESH is on (istio_ca.go). So if the certificates are the same and the live bytes well-formed, those are kept.
    /// </summary>
    private SecretDocument KeepRootBytes(SecretDocument secret, SecretDocument held)
    {
        if (Held(held, CacertsFile.RootCert) is not { } bytes || wanted.RootCert.Span.SequenceEqual(bytes)) return secret;
        var document = Parse(bytes);
        if (!Same(document, Wanted())) return secret;
        if (document.Defects.Count == 0)
        {
            Warn("MT5214",
                "The live root-cert.pem holds the same certificates in different bytes. "
                + "The live bytes are kept, because istiod drops an update in which even one byte differs.",
                "No action needed.");
            return secret with { Data = new Dictionary<string, byte[]>(secret.Data) { [CacertsFile.RootCert] = bytes } };
        }

        Warn("MT5214",
            $"The live root-cert.pem holds the same certificates but is malformed ({document.Defects[0].TrimEnd('.')}). "
            + "It is replaced by a well-formed one.",
            "A running istiod drops an update in which root-cert.pem differs by even one byte. "
            + "It reads the new secret at its next restart.");
        return secret;
    }

    private static PemDocument? Published(ConfigMapDocument? map) =>
        map?.Data.TryGetValue(CacertsFile.RootCert, out var text) == true && text.Length > 0 ? Parse(Encoding.UTF8.GetBytes(text)) : null;

    private static byte[]? Held(SecretDocument? secret, string key) =>
        secret?.Data.TryGetValue(key, out var bytes) == true && bytes.Length > 0 ? bytes : null;

    private PemDocument Wanted() => Parse(wanted.RootCert.Span);

    private static PemDocument Parse(ReadOnlySpan<byte> bytes) => PemDocument.Parse(CacertsFile.RootCert, bytes);

    private static bool Same(PemDocument one, PemDocument other) =>
        one.Certificates.Count > 0
        && one.Certificates.Select(c => c.Sha256).ToHashSet().SetEquals(other.Certificates.Select(c => c.Sha256));

    private static string Describe(PemDocument roots) =>
        string.Join(" and ", roots.Certificates.DistinctBy(c => c.Sha256).Take(3).Select(c => $"{c.Sha256[..16]} ({c.Subject})"));

    private string Reach() => live.RootConfigMaps?.Count is { } count and > 0 ? $" (in {Text.Count(count, "namespace")})" : "";

    private void Refuse(string id, string what, string remedy) => _problems.Add(new Problem(id, live.Cluster.Value, what, remedy));

    private void Warn(string id, string what, string remedy) =>
        _warnings.Add(new Problem(id, live.Cluster.Value, what, remedy, Severity.Warning));
}

/// <summary>
/// Whether a cluster may be written (no problems) and how: the secret as intended, but with the live root's bytes and type where those must
/// be kept.
/// </summary>
internal sealed record PushVerdict(SecretDocument Secret, IReadOnlyList<Problem> Problems, IReadOnlyList<Problem> Warnings)
{
    /// <summary>Whether <c>istio-generated</c> must be removed from the live secret (<c>--force</c>).</summary>
    internal bool RemovesGeneratedMark { get; init; }

    /// <summary>Whether a foreign secret that nothing uses is replaced: its fields are taken over even without <c>--force</c>.</summary>
    internal bool PutsBack { get; init; }

    /// <summary>Whether the cluster holds a root other than the intended one, so that the ConfigMaps of all namespaces matter.</summary>
    internal bool RootDiffers { get; init; }
}

/// <summary>What a cluster trusts before a push: all that <see cref="PushGuard"/> looks at. Null means absent.</summary>
internal sealed record LiveTrust
{
    /// <summary>The secret in which a self-signed istiod keeps its CA (security/pkg/pki/ca/ca.go).</summary>
    internal const string SelfSignedName = "istio-ca-secret";

    /// <summary>The ConfigMap in which istiod publishes its root to the workloads of a namespace.</summary>
    internal const string RootConfigMapName = "istio-ca-root-cert";

    internal required ClusterName Cluster { get; init; }
    internal SecretDocument? Cacerts { get; init; }
    internal SecretDocument? SelfSigned { get; init; }

    /// <summary>The ConfigMap of istiod's own namespace.</summary>
    internal ConfigMapDocument? RootConfigMap { get; init; }

    /// <summary>The ConfigMaps of all namespaces, from which workloads get the live root; null if they were not read.</summary>
    internal IReadOnlyList<ConfigMapDocument>? RootConfigMaps { get; init; }

    /// <exception cref="MeshTrustException">Something could not be read, so the live trust is unknown.</exception>
    internal static async Task<LiveTrust> ReadAsync(IClusterApi api, string namespaceName, CancellationToken cancellationToken)
    {
        var cacerts = api.ReadSecretAsync(namespaceName, CacertsSecret.Name, cancellationToken);
        var selfSigned = api.ReadSecretAsync(namespaceName, SelfSignedName, cancellationToken);
        var root = api.ReadConfigMapAsync(namespaceName, RootConfigMapName, cancellationToken);
        await Task.WhenAll(cacerts, selfSigned, root).ConfigureAwait(false);
        return new LiveTrust
        {
            Cluster = api.Cluster, Cacerts = cacerts.Result, SelfSigned = selfSigned.Result, RootConfigMap = root.Result,
        };
    }

    /// <summary>The same with the ConfigMaps of all namespaces, if they may be read.</summary>
    internal async Task<LiveTrust> WithAllNamespacesAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        try
        {
            return this with { RootConfigMaps = await api.ListConfigMapsAsync(RootConfigMapName, cancellationToken).ConfigureAwait(false) };
        }
        catch (MeshTrustException)
        {
            // The ConfigMap of istiod's own namespace is still enough to decide.
            return this;
        }
    }
}
