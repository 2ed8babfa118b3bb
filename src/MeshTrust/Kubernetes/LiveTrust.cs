using System.Text;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>Which CA signs the workload certificates of a running mesh.</summary>
internal enum Signer
{
    /// <summary>istiod has not run in this cluster: it publishes no root. It will use the secret <c>cacerts</c>.</summary>
    NotRunning,

    /// <summary>The CA of the secret <c>cacerts</c>.</summary>
    Cacerts,

    /// <summary>istiod's self-signed CA in <c>istio-ca-secret</c>.</summary>
    SelfSigned,

    /// <summary>A CA outside istiod, such as istio-csr.</summary>
    OtherCa,

    /// <summary>A CA that no longer is in the cluster: istiod keeps it in memory.</summary>
    Unknown,
}

/// <summary>
/// What a cluster trusts and signs with now, weighed from all its witnesses. Workloads hold what istiod publishes in the ConfigMaps; the
/// secret says what istiod loads at its next start; which CA signs now follows from comparing the two. Null means absent.
/// </summary>
internal sealed record LiveTrust
{
    /// <summary>The secret in which a self-signed istiod keeps its CA (security/pkg/pki/ca/ca.go).</summary>
    internal const string SelfSignedName = "istio-ca-secret";

    /// <summary>The ConfigMap in which istiod publishes its root to the workloads of a namespace.</summary>
    internal const string RootConfigMapName = "istio-ca-root-cert";

    /// <summary>The lock of the istiod that publishes the roots (istio pilot/pkg/leaderelection/leaderelection.go).</summary>
    private const string PublisherLock = "istio-namespace-controller-election";

    /// <summary>The secret with istiod's serving certificate if istio-csr issues it.</summary>
    private const string IstioCsrName = "istiod-tls";

    // Each with what it was computed from: a copy of this record may have other parts.
    private (SecretDocument? From, SigningBundle? Bundle) _secret;
    private (SecretDocument? From, SigningBundle? Bundle) _selfSigned;
    private (ConfigMapDocument? From, PemDocument? File) _published;

    internal required ClusterName Cluster { get; init; }

    /// <summary>istiod's namespace according to the topology.</summary>
    internal string Namespace { get; init; } = "istio-system";

    /// <summary>The kubeconfig context, for commands in messages.</summary>
    internal string Context { get; init; } = "";

    internal SecretDocument? Cacerts { get; init; }
    internal SecretDocument? SelfSigned { get; init; }

    /// <summary>Whether istio-csr's secret is in istiod's namespace.</summary>
    internal bool HasOtherCa { get; init; }

    /// <summary>The ConfigMap of istiod's own namespace.</summary>
    internal ConfigMapDocument? RootConfigMap { get; init; }

    /// <summary>The ConfigMaps of all namespaces, from which workloads get the live root; null if they were not read.</summary>
    internal IReadOnlyList<ConfigMapDocument>? RootConfigMaps { get; init; }

    /// <summary>Other namespaces that hold a CA or the configuration of an istiod, if this one holds none of the latter.</summary>
    internal IReadOnlyList<string> FoundIn { get; init; } = [];

    /// <summary>That istiod runs in another namespace, as a sentence; null if it does not.</summary>
    internal string? Misplaced => FoundIn.Count == 0 ? null
        : $"istiod does not run in the namespace '{Namespace}', but its CA or its configuration is in "
            + $"{string.Join(" and ", FoundIn.Select(n => $"'{n}'"))}.";

    /// <summary>The secret <c>cacerts</c>, parsed once.</summary>
    internal SigningBundle? Secret => (_secret = ReferenceEquals(_secret.From, Cacerts) ? _secret
        : (Cacerts, Cacerts is null ? null : new SigningBundle(Cluster.Value, Cacerts))).Bundle;

    /// <summary>The roots that istiod publishes in its own namespace; null if none.</summary>
    internal IReadOnlyList<CertificateDocument>? Published => PublishedFile?.Certificates;

    /// <summary>The file of roots that workloads have, or will have once istiod starts; null if unknown.</summary>
    internal PemDocument? RootFile => PublishedFile ?? Next?.RootCert;

    /// <summary>What workloads trust, or will trust once istiod starts; empty if unknown.</summary>
    internal IReadOnlyList<CertificateDocument> Roots => RootFile?.Certificates ?? [];

    /// <summary>Each distinct file of roots that workloads of some namespace hold.</summary>
    internal IReadOnlyList<PemDocument> HeldFiles
    {
        get
        {
            var maps = (RootConfigMaps ?? []).Append(RootConfigMap).OfType<ConfigMapDocument>();
            return [.. maps.DistinctBy(m => m.Data.GetValueOrDefault(CacertsFile.RootCert)).Select(Parse).OfType<PemDocument>()];
        }
    }

    /// <summary>Each distinct set of roots that workloads of some namespace hold.</summary>
    internal IReadOnlyList<IReadOnlyList<CertificateDocument>> HeldRoots =>
        HeldFiles is { Count: > 0 } files ? [.. files.Select(f => f.Certificates)] : Roots.Count > 0 ? [Roots] : [];

    internal Signer Signer => Published is not { } roots ? Signer.NotRunning
        : Secret is { Roots.Count: > 0 } secret && Same(secret.Roots, roots) ? Signer.Cacerts
        // A self-signed istiod publishes its own root alone; beside others it may be the old one of a change of root.
        : SelfSignedCa?.Ca is { } ca && roots.Contains(ca) && (roots.All(ca.Equals) || !IsReachedBySecret(roots)) ? Signer.SelfSigned
        : IsReachedBySecret(roots) ? Signer.Cacerts
        : HasOtherCa && Cacerts is null && SelfSigned is null ? Signer.OtherCa
        : Signer.Unknown;

    private bool IsReachedBySecret(IReadOnlyList<CertificateDocument> roots) =>
        Secret is { Ca: { } own } bundle && CertificationPath.Reaches(own, bundle.Chain, roots);

    /// <summary>The CA that signs now, or will sign once istiod starts; null if it is unknown.</summary>
    internal SigningBundle? Signing => Signer switch
    {
        Signer.NotRunning => Next,
        Signer.Cacerts => Secret,
        Signer.SelfSigned => SelfSignedCa,
        _ => null,
    };

    /// <summary>The CA that istiod loads at its next start.</summary>
    private SigningBundle? Next => Secret is { Roots.Count: > 0 } secret ? secret : SelfSignedCa ?? Secret;

    /// <summary>The CA of <c>istio-ca-secret</c>, parsed once.</summary>
    internal SigningBundle? SelfSignedCa => (_selfSigned = ReferenceEquals(_selfSigned.From, SelfSigned) ? _selfSigned
        : (SelfSigned, SelfSigned is null ? null : ReadSelfSigned(SelfSigned))).Bundle;

    private SigningBundle? ReadSelfSigned(SecretDocument secret)
    {
        if (!secret.Data.TryGetValue(CacertsFile.CaCert, out var ca)) return null;
        var root = secret.Data.GetValueOrDefault(CacertsFile.RootCert);
        return new SigningBundle(Cluster.Value, secret with
        {
            Data = new Dictionary<string, byte[]>
            {
                [CacertsFile.CaCert] = ca,
                [CacertsFile.CertChain] = ca,
                [CacertsFile.CaKey] = secret.Data.GetValueOrDefault(CacertsFile.CaKey, []),
                [CacertsFile.RootCert] = root is { Length: > 0 } ? root : ca,
            },
        });
    }

    /// <summary>Whether two files hold the same certificates, whatever their order.</summary>
    internal static bool Same(IReadOnlyList<CertificateDocument> one, IReadOnlyList<CertificateDocument> other) =>
        one.ToHashSet().SetEquals(other);

    internal static string Describe(IEnumerable<CertificateDocument> roots)
    {
        var distinct = roots.Distinct().ToList();
        var names = string.Join(" and ", distinct.Take(3).Select(c => $"{c.Sha256[..16]} ({c.Subject})"));
        return distinct.Count switch { 0 => "no readable root", <= 3 => names, _ => $"{names} and {distinct.Count - 3} more" };
    }

    /// <summary>How a command in a message begins.</summary>
    internal string Kubectl => $"kubectl {(Context.Length == 0 ? "" : $"--context {Context} ")}-n {Namespace}";

    /// <summary>The command that restarts an app of Istio. By label: with revisions there are several, with other names.</summary>
    internal string Restart(string kind, string app) => $"{Kubectl} rollout restart {kind} -l app={app}";

    /// <exception cref="MeshTrustException">Something could not be read, so the live trust is unknown.</exception>
    internal static async Task<LiveTrust> ReadAsync(
        IClusterApi api, string namespaceName, string context, CancellationToken cancellationToken)
    {
        var cacerts = api.ReadSecretAsync(namespaceName, CacertsSecret.Name, cancellationToken);
        var selfSigned = api.ReadSecretAsync(namespaceName, SelfSignedName, cancellationToken);
        var root = api.ReadConfigMapAsync(namespaceName, RootConfigMapName, cancellationToken);
        await Task.WhenAll(cacerts, selfSigned, root).ConfigureAwait(false);
        var live = new LiveTrust
        {
            Cluster = api.Cluster,
            Namespace = namespaceName,
            Context = context,
            Cacerts = cacerts.Result,
            SelfSigned = selfSigned.Result,
            RootConfigMap = root.Result,
        };
        return await live.FindIstiodAsync(api, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The same with where istiod runs and whether another CA signs. It only asks if istiod publishes a root that neither secret explains,
    /// and takes what may be read.
    /// </summary>
    internal async Task<LiveTrust> FindIstiodAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        if (Published is null || Cacerts is not null && Signer is Signer.Cacerts || Signer is Signer.SelfSigned) return this;
        var other = TryAsync(async () => await api.ReadSecretAsync(Namespace, IstioCsrName, cancellationToken).ConfigureAwait(false), null);
        IReadOnlyList<string>[] found = await Task.WhenAll(
            FindAsync("configmaps", PublisherLock), FindAsync("configmaps", "istio"),
            FindAsync("secrets", SelfSignedName), FindAsync("secrets", CacertsSecret.Name)).ConfigureAwait(false);
        var runsHere = found[..3].Any(f => f.Contains(Namespace));
        return this with
        {
            HasOtherCa = await other.ConfigureAwait(false) is not null,
            FoundIn = runsHere ? [] : [.. found.SelectMany(f => f).Where(n => n != Namespace).Distinct().Order(StringComparer.Ordinal)],
        };

        Task<IReadOnlyList<string>> FindAsync(string resource, string name) =>
            TryAsync(() => api.FindNamespacesAsync(resource, name, cancellationToken), []);

        static async Task<T> TryAsync<T>(Func<Task<T>> read, T otherwise)
        {
            try
            {
                return await read().ConfigureAwait(false);
            }
            catch (MeshTrustException)
            {
                return otherwise;
            }
        }
    }

    /// <summary>The same with the ConfigMaps of all namespaces, if they may be read.</summary>
    internal async Task<LiveTrust> WithAllNamespacesAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        try
        {
            var maps = await api.ListConfigMapsAsync(null, RootConfigMapName, cancellationToken).ConfigureAwait(false);
            return this with { RootConfigMaps = maps };
        }
        catch (MeshTrustException)
        {
            // The ConfigMap of istiod's own namespace is still enough to decide.
            return this;
        }
    }

    private PemDocument? PublishedFile => (_published = ReferenceEquals(_published.From, RootConfigMap) ? _published
        : (RootConfigMap, Parse(RootConfigMap))).File;

    /// <summary>A published file; null if it contains no certificate.</summary>
    private PemDocument? Parse(ConfigMapDocument? map) =>
        map?.Data.GetValueOrDefault(CacertsFile.RootCert) is { Length: > 0 } text
        && PemDocument.Parse($"{Cluster}/{RootConfigMapName}", Encoding.UTF8.GetBytes(text)) is { Certificates.Count: > 0 } file
            ? file : null;
}

/// <summary>How roots change. One that is renewed with the same key and name is neither added nor removed.</summary>
internal sealed class RootChange
{
    internal RootChange(IReadOnlyList<CertificateDocument> held, IReadOnlyList<CertificateDocument> wanted)
    {
        var isNew = wanted.Except(held).ToLookup(w => !held.Any(w.IsRenewalOf));
        (Added, Renewed) = ([.. isNew[true]], [.. isNew[false]]);
        Removed = [.. held.Except(wanted).Where(h => !wanted.Any(h.IsRenewalOf))];
    }

    internal IReadOnlyList<CertificateDocument> Added { get; }
    internal IReadOnlyList<CertificateDocument> Removed { get; }
    internal IReadOnlyList<CertificateDocument> Renewed { get; }

    /// <summary>A clause such as <c>adds the root 1234 (CN=Root CA)</c>.</summary>
    public override string ToString() => string.Join(" and ", new[]
    {
        Added.Count > 0 && Removed.Count > 0 ? $"replaces the root {LiveTrust.Describe(Removed)} with {LiveTrust.Describe(Added)}"
            : Added.Count > 0 ? $"adds the root {LiveTrust.Describe(Added)}"
            : Removed.Count > 0 ? $"removes the root {LiveTrust.Describe(Removed)}"
            : null,
        Renewed.Count > 0 ? $"renews the root {LiveTrust.Describe(Renewed)} with the same key" : null,
    }.OfType<string>());
}
