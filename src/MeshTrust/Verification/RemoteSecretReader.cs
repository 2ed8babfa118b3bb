using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>The remote secrets of a cluster as they are stored, tokens included: only for the reader, never part of a snapshot.</summary>
internal sealed record RemoteSecretList(ClusterName Cluster, IReadOnlyList<JsonObject> Found, UnreadList? Unread);

/// <summary>
/// Reads remote secrets, and asks the API servers that they lead to with their own credentials. It runs no command and reads no file that a
/// secret names.
/// </summary>
internal sealed class RemoteSecretReader(
    MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, Func<ClusterAccess, IClusterApi> connect, TimeProvider time)
{
    /// <summary>The releases of Helm are secrets too, and large.</summary>
    private const string NoReleases = "fieldSelector=type!=helm.sh/release.v1";
    private const string NetworkLabel = "topology.istio.io/network";
    private const string GatewayName = "istio-eastwestgateway";

    private static readonly ClusterApiSettings Hasty = ClusterApiSettings.Default with
    {
        AttemptTimeout = TimeSpan.FromSeconds(2), Deadline = TimeSpan.FromSeconds(3), Stage = Stage.Verification,
    };

    /// <summary>What istiod lists in another cluster; without one of them it waits forever.</summary>
    private static readonly (string Group, string Resource)[] Listed =
    [
        ("", "namespaces"), ("", "nodes"), ("", "pods"), ("", "secrets"), ("", "services"), ("discovery.k8s.io", "endpointslices"),
    ];

    private readonly ConcurrentDictionary<(ClusterName To, string Kubeconfig), Lazy<Task<RemoteAnswer>>> _answers = new();

    /// <summary>The secrets that istiod reads, and those that it would read if they had the label.</summary>
    internal static async Task<RemoteSecretList> ListAsync(IClusterApi api, string ns, CancellationToken cancellationToken)
    {
        try
        {
            var all = await api.ListObjectsAsync("v1", "secrets", ns, NoReleases, cancellationToken).ConfigureAwait(false);
            var found = all.Where(s => IsLabelled(s) || NameOf(s).StartsWith(RemoteSecrets.Prefix, StringComparison.Ordinal));
            return new(api.Cluster, [.. found], null);
        }
        catch (MeshTrustException e)
        {
            var isForbidden = e.Problems[0].Id == ProblemCodes.Forbidden;
            return new(api.Cluster, [], new(isForbidden, e.Problems[0].Message, e.Problems[0].Hint));
        }
    }

    /// <summary>Reads more only if there is a remote secret anywhere.</summary>
    internal async Task<IReadOnlyList<RemoteAccess>> ReadAsync(IReadOnlyList<RemoteSecretList> lists, CancellationToken cancellationToken)
    {
        if (lists.All(l => l.Found.Count == 0)) return [.. lists.Select(l => new RemoteAccess { Cluster = l.Cluster, Unread = l.Unread })];
        var read = await Task.WhenAll(lists.Select(l => ReadAsync(l, cancellationToken))).ConfigureAwait(false);
        var contexts = clusters.ToDictionary(c => c.Name, ContextOf);
        return await Task.WhenAll(lists.Zip(read, async (list, access) => access with
        {
            Secrets = await Task.WhenAll(
                from secret in list.Found
                from data in secret["data"] as JsonObject ?? []
                select ReadAsync(secret, data.Key, Decode(data.Value), read, contexts, cancellationToken)).ConfigureAwait(false),
        })).ConfigureAwait(false);
    }

    private async Task<RemoteAccess> ReadAsync(RemoteSecretList list, CancellationToken cancellationToken)
    {
        var access = new RemoteAccess { Cluster = list.Cluster, Unread = list.Unread, Ids = [list.Cluster.Value] };
        if (list.Unread is { IsForbidden: false } || clusters.FirstOrDefault(c => c.Name == list.Cluster) is not { } way) return access;
        using var api = connect(way);
        var ns = topology.Trust.Namespace;
        var istiods = TryAsync(() => api.ListObjectsAsync("apps/v1", "deployments", ns, "labelSelector=app=istiod", cancellationToken));
        var services = topology.Clusters.Select(c => c.Network).Distinct().Count() < 2 ? null
            : await TryAsync(() => api.ListObjectsAsync("v1", "services", null, $"labelSelector={NetworkLabel}", cancellationToken))
                .ConfigureAwait(false);
        var usual = services is null ? null
            : await TryAsync(() => api.ReadObjectAsync(new("v1", "services", ns, GatewayName), cancellationToken)).ConfigureAwait(false);
        var ids = (await istiods.ConfigureAwait(false) ?? []).SelectMany(ClusterIds).Distinct().ToList();
        return access with
        {
            Ids = ids.Count > 0 ? ids : access.Ids,
            Gateways = services is null ? null : [.. services.Concat(usual is null ? [] : [usual]).Select(Gateway).Distinct()],
        };
    }

    private async Task<RemoteSecret> ReadAsync(JsonObject secret, string key, string text, IReadOnlyList<RemoteAccess> read,
        Dictionary<ClusterName, ResolvedContext?> contexts, CancellationToken cancellationToken)
    {
        var found = new RemoteSecret
        {
            Name = NameOf(secret),
            Key = key,
            IsLabelled = IsLabelled(secret),
            IsOurs = RemoteSecrets.IsOurs(secret),
            To = read.FirstOrDefault(r => r.Ids.Contains(key) || r.Cluster.Value == key)?.Cluster,
        };
        ResolvedContext? context = null;
        try
        {
            var document = KubeconfigDocument.Parse($"{found.Name}/{key}", text);
            found = found with { Refusal = RefusalOf(document) };
            if (found.Refusal is null) context = document.Resolve(document.CurrentContext!);
        }
        catch (MeshTrustException e)
        {
            // Problems of a kubeconfig never quote its values.
            found = found with { Refusal = $"it is not valid: {e.Problems[0].Message.TrimEnd('.')}" };
        }

        found = found with
        {
            To = found.To ?? SameAuthority(context, contexts) ?? Named(secret),
            Server = context?.Server,
            Authority = context?.Authority,
            TlsServerName = context?.Cluster.Text("tls-server-name"),
            Expires = context?.User.Text("token") is { } token ? RemoteSecrets.Expiry(token) : null,
        };
        if (context is null || found.To is not { } to) return found;
        var usual = contexts.GetValueOrDefault(to);
        var answer = _answers.GetOrAdd((to, text), _ => new(() => AskAsync(to, context, usual, cancellationToken)));
        return found with { Answer = await answer.Value.ConfigureAwait(false) };
    }

    /// <summary>What istiod refuses, in the order of its pkg/kube/util.go (sanitizeKubeConfig).</summary>
    private static string? RefusalOf(KubeconfigDocument document)
    {
        string[] files = ["client-key", "client-certificate", "tokenFile"];
        foreach (var user in document.Users)
        {
            if (user.Map("auth-provider")?.Text("name") is { } name and not "oidc") return $"the auth-provider {name} is not allowed";
            if (files.FirstOrDefault(user.Has) is { } file) return $"{file} names a file, and istiod's pod does not have it";
            if (user.Has("exec")) return "exec runs a command, which is not allowed";
        }

        return document.Clusters.Any(c => c.Has("certificate-authority"))
            ? "certificate-authority names a file, and istiod's pod does not have it"
            : document.CurrentContext is null ? "it has no current-context" : null;
    }

    /// <summary>The cluster with the same CA, if it is the only one; a key that is not its id is then a mistake.</summary>
    private static ClusterName? SameAuthority(ResolvedContext? context, Dictionary<ClusterName, ResolvedContext?> contexts) =>
        context?.Authority?.Trim() is { } authority
        && contexts.Where(c => c.Value?.Authority?.Trim() == authority).Select(c => c.Key).ToList() is [var only] ? only : null;

    private ClusterName? Named(JsonObject secret)
    {
        var name = (string?)secret["metadata"]?["annotations"]?["networking.istio.io/cluster"];
        return topology.Clusters.FirstOrDefault(c => c.Name.Value == name || RemoteSecrets.Prefix + c.Name == NameOf(secret))?.Name;
    }

    /// <summary>
    /// Asks with the credentials, the CA and the server name of the secret at the address that this machine uses. If that does not work,
    /// the address in the secret decides: the other one may be that of a proxy.
    /// </summary>
    private async Task<RemoteAnswer> AskAsync(
        ClusterName to, ResolvedContext context, ResolvedContext? usual, CancellationToken cancellationToken)
    {
        var isLocal = RemoteServer.IsOnlyLocal(context.Server);
        var answer = new RemoteAnswer(RemoteVerdict.NotAsked);
        if (usual is { IsEncrypted: true } && context.IsEncrypted)
        {
            var isUnnamed = isLocal || context.Server.HostNameType == UriHostNameType.IPv6;
            var name = context.Cluster.Text("tls-server-name")
                ?? (isUnnamed ? usual.Cluster.Text("tls-server-name") : context.Server.Host);
            var cluster = usual.Cluster.With(
                ("certificate-authority-data", context.Cluster.Text("certificate-authority-data")), ("certificate-authority", null),
                ("insecure-skip-tls-verify", context.SkipsTlsVerification ? "true" : null), ("tls-server-name", name));
            answer = await AskAsync(to, context with { Cluster = cluster }, cancellationToken).ConfigureAwait(false);
        }

        if (answer.Verdict == RemoteVerdict.Accepted || isLocal) return answer;
        var direct = await AskAsync(to, context, cancellationToken).ConfigureAwait(false);
        return direct.Verdict == RemoteVerdict.NotAsked ? answer : direct with { IsDirect = true };
    }

    private async Task<RemoteAnswer> AskAsync(ClusterName to, ResolvedContext context, CancellationToken cancellationToken)
    {
        var settings = Hasty with { Time = time };
        var host = context.Cluster.Text("tls-server-name") ?? context.Server.Host;
        using var api = new KubernetesClusterApi(new ApiTransport(to, context, settings, isUsers: false), settings, ownsTransport: true);
        try
        {
            var asked = Listed.Select(l => MayListAsync(api, l.Group, l.Resource, cancellationToken));
            var may = await Task.WhenAll(asked).ConfigureAwait(false);
            return new(RemoteVerdict.Accepted) { Lacking = [.. Listed.Zip(may).Where(l => !l.Second).Select(l => l.First.Resource)] };
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return new(RemoteVerdict.Untrusted, "cannot be verified: the CA or the server name in the secret is not valid");
        }
        catch (MeshTrustException e)
        {
            return e.Problems[0].Id switch
            {
                ProblemCodes.Unauthorized or ProblemCodes.ClientCertificateExpired => new(RemoteVerdict.Rejected),
                ProblemCodes.ServerUntrusted => new(RemoteVerdict.Untrusted, "is not signed by the CA in the secret"),
                ProblemCodes.ServerNamedOtherwise => new(RemoteVerdict.Untrusted, $"does not name {host}"),
                ProblemCodes.ServerCertificateExpired => new(RemoteVerdict.Untrusted, "is not valid now"),
                _ => new(RemoteVerdict.NotAsked),
            };
        }
    }

    private static async Task<bool> MayListAsync(
        KubernetesClusterApi api, string group, string resource, CancellationToken cancellationToken)
    {
        var review = new JsonObject
        {
            ["apiVersion"] = "authorization.k8s.io/v1",
            ["kind"] = "SelfSubjectAccessReview",
            ["spec"] = new JsonObject
            {
                ["resourceAttributes"] = new JsonObject { ["verb"] = "list", ["group"] = group, ["resource"] = resource },
            },
        };
        var answer = await api.PostObjectAsync("authorization.k8s.io/v1", "selfsubjectaccessreviews", null, review, cancellationToken)
            .ConfigureAwait(false);
        return (bool?)answer["status"]?["allowed"] == true;
    }

    private static IEnumerable<string> ClusterIds(JsonObject deployment) =>
        from container in deployment["spec"]?["template"]?["spec"]?["containers"] as JsonArray ?? []
        from variable in container?["env"] as JsonArray ?? []
        where (string?)variable?["name"] == "CLUSTER_ID" && variable["value"] is not null
        select (string)variable["value"]!;

    private EastWestGateway Gateway(JsonObject service)
    {
        var (labels, spec) = (service["metadata"]?["labels"], service["spec"]);
        var port = topology.Mode == DataPlaneMode.Ambient ? 15008 : 15443;
        return new($"{service["metadata"]?["namespace"]}/{NameOf(service)}", (string?)labels?[NetworkLabel],
            labels?["networking.istio.io/gatewayPort"] is not null
                || (spec?["ports"] as JsonArray ?? []).Any(p => (int?)p?["port"] == port),
            service["status"]?["loadBalancer"]?["ingress"] is JsonArray { Count: > 0 } || spec?["externalIPs"] is JsonArray { Count: > 0 }
                || service["metadata"]?["annotations"]?["traffic.istio.io/nodeSelector"] is not null);
    }

    private static ResolvedContext? ContextOf(ClusterAccess access)
    {
        try
        {
            return ApiTransport.ContextOf(access);
        }
        catch (MeshTrustException)
        {
            // Reading the cluster has reported it.
            return null;
        }
    }

    private static async Task<T?> TryAsync<T>(Func<Task<T>> read)
        where T : class?
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (MeshTrustException)
        {
            return null;
        }
    }

    private static string Decode(JsonNode? value) =>
        value is null ? "" : Encoding.UTF8.GetString(Convert.FromBase64String(value.GetValue<string>()));

    private static string NameOf(JsonObject item) => (string)item["metadata"]!["name"]!;

    private static bool IsLabelled(JsonObject secret) => (string?)secret["metadata"]?["labels"]?[RemoteSecrets.Label] == "true";
}
