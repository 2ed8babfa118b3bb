using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>How pods of other clusters reach an API server.</summary>
/// <param name="Server">The address.</param>
/// <param name="Authority">The CA of its certificate as PEM; null for a public one.</param>
internal sealed record RemoteServer(Uri Server, string? Authority)
{
    /// <summary>Whether only the machine itself reaches an address.</summary>
    internal static bool IsOnlyLocal(Uri server) => server.IsLoopback || server.Host is "0.0.0.0" or "[::]";

    /// <summary>The address that was given, or else that of the kubeconfig, if it can be one for others.</summary>
    /// <exception cref="MeshTrustException">MT5301: only this machine reaches the address of the kubeconfig.</exception>
    internal static RemoteServer Of(ClusterName cluster, ClusterAccess access, Uri? given, bool runsPods = true)
    {
        var context = KubeconfigDocument.Load(access.KubeconfigPath).Resolve(access.ContextName);
        var server = given ?? context.Server;
        if (given is null && IsOnlyLocal(server))
        {
            var hint = $"Pass it with --api-server={cluster}=https://HOST:PORT, or set apiServer of the cluster in the topology.";
            throw new MeshTrustException(Stage.Push, new Problem("MT5301", cluster.Value,
                $"The kubeconfig's server is {server.AbsoluteUri.TrimEnd('/')}, which only this machine can reach. istiod in another "
                + "cluster needs another address.",
                runsPods ? hint : "Embedded and native clusters run no pods, so there is no istiod to read a remote secret. Use kind or "
                    + $"existing clusters. For a test without istiod: {char.ToLowerInvariant(hint[0])}{hint[1..]}"));
        }

        return new(server, context.Authority);
    }

    /// <summary>The address.</summary>
    public override string ToString() => Server.AbsoluteUri.TrimEnd('/');
}

/// <summary>What happened to the remote secret of one cluster in one primary.</summary>
/// <param name="Primary">The cluster whose istiod reads it.</param>
/// <param name="Remote">The cluster that it leads to.</param>
/// <param name="Outcome">What was done.</param>
/// <param name="Expires">When its token ends; null for a token that does not.</param>
internal sealed record RemoteSecretOutcome(ClusterName Primary, ClusterName Remote, ApplyOutcome Outcome, DateTimeOffset? Expires);

/// <summary>
/// Gives the istiod of each primary access to the API servers of the other clusters: a reader with Istio's rights there, and a secret
/// with a kubeconfig for it here, in the form that istiod takes (istio pkg/kube/multicluster/secretcontroller.go). The reader has names of
/// its own: Helm refuses to adopt objects with the names of Istio's charts that it did not create.
/// </summary>
internal sealed class RemoteSecrets(
    MeshTopology topology, IReadOnlyDictionary<ClusterName, IClusterApi> clusters, IReadOnlyDictionary<ClusterName, RemoteServer> servers,
    string? account, TimeProvider time) : IDisposable
{
    /// <summary>Whether fields that another field manager set may be taken over.</summary>
    internal bool Force { get; init; }

    internal const string Reader = "meshtrust-istio-reader";

    /// <summary>What the names of remote secrets begin with.</summary>
    internal const string Prefix = "istio-remote-secret-";

    /// <summary>The label of the secrets that istiod reads, with the value <c>true</c>.</summary>
    internal const string Label = "istio/multiCluster";
    private const string ManagedBy = "app.kubernetes.io/managed-by";
    private const string Manager = "meshtrust";
    private static readonly TimeSpan Longest = TimeSpan.FromDays(365);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    internal IReadOnlyDictionary<ClusterName, RemoteServer> Servers => servers;
    private string Namespace => topology.Trust.Namespace;
    private string Account => account ?? Reader;

    /// <summary>Each primary with each other cluster.</summary>
    internal IReadOnlyList<(ClusterName Primary, ClusterName Remote)> Pairs =>
    [
        .. from primary in topology.Clusters
           where primary.Primary is null || primary.Primary == primary.Name
           from remote in topology.Clusters
           where remote.Name != primary.Name
           select (primary.Name, remote.Name),
    ];

    /// <summary>
    /// Writes what is missing or has changed. A token is kept while it is good: a new one makes istiod rebuild its registry.
    /// </summary>
    /// <exception cref="MeshTrustException">MT5302: istiod's namespace is missing in a cluster; nothing was written.</exception>
    internal async Task<IReadOnlyList<RemoteSecretOutcome>> EnsureAsync(CancellationToken cancellationToken)
    {
        await RequireNamespaceAsync(cancellationToken).ConfigureAwait(false);
        var groups = Pairs.GroupBy(p => p.Remote).ToList();
        var done = await Task.WhenAll(groups.Select(async group =>
        {
            if (account is null) await EnsureReaderAsync(clusters[group.Key], cancellationToken).ConfigureAwait(false);
            var token = await TokenAsync(group.Key, [.. group.Select(p => p.Primary)], cancellationToken).ConfigureAwait(false);
            var (secret, end) = (Secret(group.Key, Kubeconfig(group.Key, token)), Expiry(token));
            return await Task.WhenAll(group.Select(async pair => new RemoteSecretOutcome(pair.Primary, pair.Remote,
                await ApplyAsync(clusters[pair.Primary], SecretIn(pair.Remote), secret, cancellationToken).ConfigureAwait(false), end)))
                .ConfigureAwait(false);
        })).ConfigureAwait(false);
        return [.. Pairs.Select(pair => done.SelectMany(d => d).Single(o => (o.Primary, o.Remote) == pair))];
    }

    /// <summary>Removes the remote secrets and readers that MeshTrust created, and nothing else. Returns what was removed.</summary>
    internal async Task<IReadOnlyList<string>> RemoveAsync(CancellationToken cancellationToken)
    {
        var candidates = Pairs.Select(p => (Cluster: p.Primary, Reference: SecretIn(p.Remote)))
            .Concat(from remote in Pairs.Select(p => p.Remote).Distinct() from reference in ReaderObjects() select (remote, reference));
        var removed = new List<string>();
        foreach (var (cluster, reference) in candidates)
        {
            var found = await clusters[cluster].ReadObjectAsync(reference, cancellationToken).ConfigureAwait(false);
            if (found is null || !IsOurs(found)) continue;
            await clusters[cluster].DeleteObjectAsync(reference, cancellationToken).ConfigureAwait(false);
            removed.Add($"{cluster}: {reference}");
        }

        return removed;
    }

    public void Dispose()
    {
        foreach (var cluster in clusters.Values) cluster.Dispose();
    }

    /// <summary>Whether MeshTrust created an object.</summary>
    internal static bool IsOurs(JsonObject found) => found["metadata"]?["labels"]?[ManagedBy]?.ToString() == Manager;

    /// <summary>When a token ends, from its claims; null if it does not expire or is not a JSON Web Token.</summary>
    internal static DateTimeOffset? Expiry(string token)
    {
        if (token.Split('.') is not [_, var payload, _] || !Base64Url.IsValid(payload)) return null;
        try
        {
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
            return claims.RootElement.TryGetProperty("exp", out var exp) && exp.TryGetInt64(out var seconds)
                ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private ObjectReference SecretIn(ClusterName remote) => new("v1", "secrets", Namespace, Prefix + remote);

    private ObjectReference TokenSecret => new("v1", "secrets", Namespace, $"{Reader}-token");

    private ObjectReference[] ReaderObjects() =>
    [
        new("rbac.authorization.k8s.io/v1", "clusterrolebindings", null, $"{Reader}-{Namespace}"),
        new("rbac.authorization.k8s.io/v1", "clusterroles", null, $"{Reader}-{Namespace}"),
        TokenSecret,
        new("v1", "serviceaccounts", Namespace, Reader),
    ];

    private async Task RequireNamespaceAsync(CancellationToken cancellationToken)
    {
        var names = clusters.Keys.ToList();
        var spaces = await Task.WhenAll(names.Select(n => clusters[n].ReadNamespaceAsync(Namespace, cancellationToken)))
            .ConfigureAwait(false);
        var problems = names.Zip(spaces).Where(n => n.Second is null).Select(n => new Problem("MT5302", n.First.Value,
            $"The namespace '{Namespace}' does not exist, so remote secrets cannot be created.",
            "Run --target=PushSecrets first. It creates the namespace with the CA secret.")).ToList();
        if (problems.Count > 0) throw new MeshTrustException(Stage.Push, problems);
    }

    private async Task EnsureReaderAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        var (binding, role, serviceAccount) = (ReaderObjects()[0], ReaderObjects()[1], ReaderObjects()[3]);
        var account = new V1ServiceAccount { Kind = "ServiceAccount", Metadata = Labelled() };
        await ApplyAsync(api, serviceAccount, account, cancellationToken).ConfigureAwait(false);
        var rights = new V1ClusterRole { Kind = "ClusterRole", Metadata = Labelled(), Rules = ReaderRules.All };
        await ApplyAsync(api, role, rights, cancellationToken).ConfigureAwait(false);
        await ApplyAsync(api, binding, new V1ClusterRoleBinding
        {
            Kind = "ClusterRoleBinding",
            Metadata = Labelled(),
            RoleRef = new V1RoleRef { ApiGroup = "rbac.authorization.k8s.io", Kind = "ClusterRole", Name = role.Name },
            Subjects = [new Rbacv1Subject { Kind = "ServiceAccount", Name = Reader, NamespaceProperty = Namespace }],
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The token in use if it is good; else one from a token controller, or else one with an end.</summary>
    private async Task<string> TokenAsync(ClusterName remote, IReadOnlyList<ClusterName> primaries, CancellationToken cancellationToken)
    {
        var api = clusters[remote];
        foreach (var primary in primaries)
        {
            var held = await clusters[primary].ReadSecretAsync(Namespace, SecretIn(remote).Name, cancellationToken).ConfigureAwait(false);
            if (TokenIn(held, remote) is { } token && await IsGoodAsync(api, token, cancellationToken).ConfigureAwait(false)) return token;
        }

        if (await LastingTokenAsync(api, cancellationToken).ConfigureAwait(false) is { } lasting) return lasting;
        var request = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject { ["expirationSeconds"] = (long)Longest.TotalSeconds },
        };
        var answer = await api.PostObjectAsync("v1", $"serviceaccounts/{Account}/token", Namespace, request, cancellationToken)
            .ConfigureAwait(false);
        return answer["status"]!["token"]!.GetValue<string>();
    }

    /// <summary>Whether the API server accepts it for this account, and more than a third of its time is left.</summary>
    private async Task<bool> IsGoodAsync(IClusterApi api, string token, CancellationToken cancellationToken)
    {
        if (Expiry(token) is { } end && end - time.GetUtcNow() < Longest / 3) return false;
        var review = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenReview", ["spec"] = new JsonObject { ["token"] = token },
        };
        var answer = await api.PostObjectAsync("authentication.k8s.io/v1", "tokenreviews", null, review, cancellationToken)
            .ConfigureAwait(false);
        return answer["status"]?["user"]?["username"]?.ToString() == $"system:serviceaccount:{Namespace}:{Account}";
    }

    /// <summary>A token that does not end, if the cluster has a token controller: then each namespace has an account 'default'.</summary>
    private async Task<string?> LastingTokenAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        if (account is not null) return null;
        var usual = new ObjectReference("v1", "serviceaccounts", Namespace, "default");
        if (await api.ReadObjectAsync(usual, cancellationToken).ConfigureAwait(false) is null) return null;
        var secret = new V1Secret { Kind = "Secret", Type = "kubernetes.io/service-account-token", Metadata = Labelled() };
        secret.Metadata.Annotations = new Dictionary<string, string> { ["kubernetes.io/service-account.name"] = Reader };
        await ApplyAsync(api, TokenSecret, secret, cancellationToken).ConfigureAwait(false);
        try
        {
            return await Wait.UntilAsync(
                async token => await api.ReadSecretAsync(Namespace, TokenSecret.Name, token).ConfigureAwait(false) is { } held
                    && held.Data.GetValueOrDefault("token") is { Length: > 0 } bytes ? Encoding.UTF8.GetString(bytes) : null,
                Patience, Pause, () => new TimeoutException(), time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // There is an account, but no controller: a TokenRequest works there.
            return null;
        }
    }

    private static string? TokenIn(SecretDocument? secret, ClusterName remote)
    {
        if (secret?.Data.GetValueOrDefault(remote.Value) is not { } kubeconfig) return null;
        try
        {
            var document = KubeconfigDocument.Parse($"remote secret of {remote}", Encoding.UTF8.GetString(kubeconfig));
            return document.Users is [var user] ? user.Text("token") : null;
        }
        catch (MeshTrustException)
        {
            return null;
        }
    }

    private string Kubeconfig(ClusterName remote, string token)
    {
        var (server, authority) = servers[remote];
        var cluster = new JsonObject { ["server"] = server.AbsoluteUri.TrimEnd('/') };
        if (authority is not null) cluster["certificate-authority-data"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(authority));
        return YamlText.Write(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Config",
            ["clusters"] = new JsonArray(new JsonObject { ["name"] = remote.Value, ["cluster"] = cluster }),
            ["contexts"] = new JsonArray(new JsonObject
            {
                ["name"] = remote.Value, ["context"] = new JsonObject { ["cluster"] = remote.Value, ["user"] = remote.Value },
            }),
            ["current-context"] = remote.Value,
            ["users"] = new JsonArray(new JsonObject { ["name"] = remote.Value, ["user"] = new JsonObject { ["token"] = token } }),
        });
    }

    private static V1Secret Secret(ClusterName remote, string kubeconfig)
    {
        var secret = new V1Secret { Kind = "Secret", Type = "Opaque", Metadata = Labelled() };
        secret.Metadata.Labels[Label] = "true";
        secret.Metadata.Annotations = new Dictionary<string, string> { ["networking.istio.io/cluster"] = remote.Value };
        secret.Data = new Dictionary<string, byte[]> { [remote.Value] = Encoding.UTF8.GetBytes(kubeconfig) };
        return secret;
    }

    private static V1ObjectMeta Labelled() => new() { Labels = new Dictionary<string, string> { [ManagedBy] = Manager } };

    private Task<ApplyOutcome> ApplyAsync(
        IClusterApi api, ObjectReference reference, IKubernetesObject wanted, CancellationToken cancellationToken) =>
        api.ApplyObjectAsync(
            reference, JsonNode.Parse(KubernetesJson.Serialize(wanted))!.AsObject(), dryRun: false, Force, cancellationToken);
}

/// <summary>
/// The rights of Istio's reader (istio manifests/charts/base/templates/reader-clusterrole.yaml), with those that an istiod outside the
/// cluster needs to publish its root.
/// </summary>
internal static class ReaderRules
{
    private static readonly string[] Read = ["get", "list", "watch"];

    internal static IList<V1PolicyRule> All =>
    [
        Rule(["networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io"], ["*"], Read),
        Rule([""], ["endpoints", "pods", "services", "nodes", "replicationcontrollers", "namespaces", "secrets", "serviceaccounts"], Read),
        Rule([""], ["configmaps"], [.. Read, "create", "update"]),
        Rule(["apps"], ["replicasets"], Read),
        Rule(["discovery.k8s.io"], ["endpointslices"], Read),
        Rule(["apiextensions.k8s.io"], ["customresourcedefinitions"], Read),
        Rule(["gateway.networking.k8s.io", "networking.x-k8s.io"], ["*"], Read),
        Rule(["multicluster.x-k8s.io"], ["serviceexports"], [.. Read, "create", "delete"]),
        Rule(["multicluster.x-k8s.io"], ["serviceimports"], Read),
        Rule(["admissionregistration.k8s.io"], ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            [.. Read, "update", "patch"]),
        Rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
        Rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
    ];

    private static V1PolicyRule Rule(string[] groups, string[] resources, string[] verbs) =>
        new() { ApiGroups = groups, Resources = resources, Verbs = verbs };
}
