using MeshTrust.IO;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;
using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>Whether each istiod can read the other clusters, and whether traffic can pass between networks.</summary>
internal static class RemoteSecretChecks
{
    private const string Controller = "istio pkg/kube/multicluster/secretcontroller.go";
    private const string Run = "Run --target=RemoteSecrets.";
    private const string NetworkLabel = "topology.istio.io/network";

    /// <summary>A token that ends sooner is a warning; RemoteSecrets renews it long before.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(30);

    public static IReadOnlyList<Check<TrustSnapshot>> Rows { get; } =
    [
        Remote(ProblemCodes.RemoteSecretMissing, "each primary has a remote secret for every other cluster",
            $"{Controller}; istio.io docs/setup/install/multicluster (Enable Endpoint Discovery)", Missing) with { Unread = Unread },
        Remote("MT5304", "remote secrets have the label with which istiod finds them", $"{Controller} (MultiClusterSecretLabel)",
            Each((mesh, holder, secret) => secret.IsLabelled ? null
                : Error($"istiod does not see the secret '{secret.Name}': it does not have the label {RemoteSecrets.Label}=true.",
                    $"Run: {Kubectl(mesh, holder)} label --overwrite secret {secret.Name} {RemoteSecrets.Label}=true"))),
        Remote("MT5305", "the key of a remote secret is the CLUSTER_ID of the cluster that it leads to",
            $"{Controller} (addSecret); security/pkg/server/ca/authenticate/kubeauth/kube_jwt.go", Keys),
        Remote("MT5306", "the kubeconfig in a remote secret is one that istiod takes", "istio pkg/kube/util.go, sanitizeKubeConfig",
            Each((mesh, holder, secret) => secret.Refusal is null ? null
                : Error($"istiod refuses the kubeconfig in the secret '{secret.Name}': {secret.Refusal}.", Replace(mesh, holder, secret)))),
        Remote("MT5307", "istiod reaches the server in a remote secret",
            "istio pkg/kube/util.go (127.0.0.1 is only logged); istio.io docs/setup/install/multicluster/before-you-begin", Addresses),
        Remote("MT5308", "the server's certificate matches the CA and the address in a remote secret",
            $"{Controller} (the cluster stays in the state syncing); Go x509.Verify", Each(Certificate))
            with { Unchecked = snapshot => Unasked(snapshot, RemoteVerdict.NotAsked) },
        Remote("MT5309", "the API server accepts the token in a remote secret, which may read what istiod needs",
            "istio manifests/charts/base/templates/reader-clusterrole.yaml; Kubernetes SelfSubjectAccessReview",
            Each(Token)) with { Unchecked = snapshot => Unasked(snapshot, RemoteVerdict.NotAsked, RemoteVerdict.Untrusted) },
        Remote("MT5310", "no remote secret is left over from a cluster that is gone", $"{Controller} (deleteSecret)",
            (mesh, holder) => holder.Secrets.Where(s => s.To is null).Select(secret => Warning(
                $"The secret '{secret.Name}' leads to '{secret.Key}', which is not in the topology"
                    + $"{(secret.IsOurs ? "; MeshTrust created it" : "")}.",
                $"If it is gone, run: {Kubectl(mesh, holder)} delete secret {secret.Name}. Keep it if '{secret.Key}' belongs to the mesh"
                    + " but is not managed with MeshTrust.").In(holder.Cluster.Value))),
        Row("MT5311", "each network has an east-west gateway with an address",
            "istio pilot/pkg/serviceregistry/kube/controller/network.go; istio.io docs/setup/install/multicluster",
            Gateways, [],
            snapshot => NoSecrets(snapshot) ?? (Networks(snapshot).Count < 2 ? "the topology has no two networks"
                : snapshot.Clusters.All(c => c.Live.Published is null) ? "istiod has not run in any cluster yet" : null))
            with { Unchecked = snapshot =>
            [
                .. snapshot.Remotes.Where(r => r.Gateways is null).Select(r => new UncheckedCluster(r.Cluster.Value,
                    "Services could not be listed (grant list on services in all namespaces)", Unread: false)),
            ] },
    ];

    /// <summary>All rows; in a mesh without remote secrets only the first, which says so.</summary>
    public static IEnumerable<Check<TrustSnapshot>> For(TrustSnapshot snapshot) => NoSecrets(snapshot) is null ? Rows : Rows.Take(1);

    private static Check<TrustSnapshot> Remote(
        string id, string title, string source, Func<TrustSnapshot, RemoteAccess, IEnumerable<Finding>> inspect) =>
        Row(id, title, source, snapshot => snapshot.Remotes.SelectMany(holder => inspect(snapshot, holder)), [], NoSecrets)
            with { Unchecked = snapshot => [.. Unlisted(snapshot)] };

    /// <summary>Runs for each secret that leads to another cluster of the topology.</summary>
    private static Func<TrustSnapshot, RemoteAccess, IEnumerable<Finding>> Each(
        Func<TrustSnapshot, RemoteAccess, RemoteSecret, Finding?> inspect) =>
        (snapshot, holder) =>
            from secret in holder.Secrets
            where secret.To is not null && secret.To != holder.Cluster
            let finding = inspect(snapshot, holder, secret)
            where finding is not null
            select finding.In(holder.Cluster.Value, secret.To!.Value);

    private static string? NoSecrets(TrustSnapshot snapshot)
    {
        if (snapshot.Remotes.Any(r => r.Secrets.Count > 0)) return null;
        var denied = snapshot.Remotes.Where(r => r.Unread is { IsForbidden: true }).Select(r => r.Cluster.Value).ToList();
        return denied.Count == 0
            ? "no cluster has a remote secret: once Istio is installed, run --target=RemoteSecrets"
            : $"not checked: grant list on secrets in {snapshot.Topology.Trust.Namespace} of {string.Join(", ", denied)}";
    }

    private static IEnumerable<UncheckedCluster> Unlisted(TrustSnapshot snapshot) =>
        from holder in snapshot.Remotes
        let isForbidden = holder.Unread?.IsForbidden
        where isForbidden is not null
        let hint = isForbidden == true ? $"grant list on secrets in {snapshot.Topology.Trust.Namespace}" : "see MT5303"
        select new UncheckedCluster(holder.Cluster.Value, $"secrets could not be listed ({hint})", Unread: isForbidden == false);

    /// <summary>A cluster that cannot be read at all is reported elsewhere, once.</summary>
    private static IEnumerable<Finding> Unread(TrustSnapshot snapshot) =>
        from holder in snapshot.Remotes
        let reason = holder.Unread
        where reason is { IsForbidden: false } && !snapshot.Clusters.Any(c => c.Name == holder.Cluster && c.Unread.Count > 0)
        let message = $"Could not check: the secrets in {snapshot.Topology.Trust.Namespace} could not be listed. {reason.Reason}"
        select Error(message, reason.Hint).In(holder.Cluster.Value) with { CouldNotCheck = true };

    /// <summary>A server that cannot be reached from here may well be reached by pods, so this is not a finding.</summary>
    private static IReadOnlyList<UncheckedCluster> Unasked(TrustSnapshot snapshot, params RemoteVerdict[] verdicts) =>
    [
        .. Unlisted(snapshot),
        .. from holder in snapshot.Remotes
           from secret in holder.Secrets
           where secret is { To: not null, Refusal: null } && secret.To != holder.Cluster && verdicts.Contains(secret.Answer.Verdict)
           let isUntrusted = secret.Answer.Verdict == RemoteVerdict.Untrusted
           let why = isUntrusted ? "is not trusted (see MT5308)" : "cannot be reached from this machine"
           select new UncheckedCluster(holder.Cluster.Value, $"{Server(secret)} of '{secret.To}' {why}", Unread: false),
    ];

    private static IEnumerable<Finding> Missing(TrustSnapshot snapshot, RemoteAccess holder) =>
        from remote in snapshot.Topology.Clusters
        where holder.Unread is null && IsPrimary(snapshot, holder) && remote.Name != holder.Cluster
        where holder.Secrets.All(s => s.To != remote.Name)
        select Warning($"'{holder.Cluster}' has no remote secret for '{remote.Name}', so its istiod does not see the workloads there.", Run)
            .In(holder.Cluster.Value, remote.Name.Value);

    private static IEnumerable<Finding> Keys(TrustSnapshot snapshot, RemoteAccess holder)
    {
        foreach (var secret in holder.Secrets.Where(s => s.To is not null))
        {
            var (to, ids) = (secret.To!, snapshot.Remotes.First(r => r.Cluster == secret.To).Ids);
            if (to == holder.Cluster && ids.Contains(secret.Key))
            {
                yield return Warning($"The secret '{secret.Name}' leads to its own cluster, and istiod ignores it.",
                    $"Run: {Kubectl(snapshot, holder)} delete secret {secret.Name}").In(to.Value);
            }
            else if (ids.Any(id => id != secret.Key))
            {
                yield return Error(
                    $"The key in the secret '{secret.Name}' is '{secret.Key}', but the CLUSTER_ID of '{to}' is {string.Join(" and ", ids)}:"
                    + " istiod reads that cluster, but rejects its workloads.",
                    secret.Key != to.Value ? Replace(snapshot, holder, secret)
                        : $"Install the istiod of '{to}' with global.multiCluster.clusterName={to} (--target=InstallValues writes it).")
                    .In(holder.Cluster.Value, to.Value);
            }
        }
    }

    private static IEnumerable<Finding> Addresses(TrustSnapshot snapshot, RemoteAccess holder)
    {
        var local = Each((mesh, _, secret) => secret.Server is not { } server || !RemoteServer.IsOnlyLocal(server) ? null
            : Error($"The server in the secret '{secret.Name}' is {Server(secret)}, which in istiod's pod is the pod itself.",
                $"{Replace(mesh, holder, secret)} Except for kind it needs --api-server={secret.To}=https://HOST:PORT."));
        return local(snapshot, holder).Concat(
            from call in snapshot.Peers
            where call.Path == PeerPath.RemoteSecret && call.From == holder.Cluster && call.Fault is not null
            select Error($"Node {call.Node} cannot reach {call.Target}, the server in the remote secret for '{call.To}': {call.Fault}.",
                "Run --target=Repair, then --target=RemoteSecrets, which writes the current address.").In(call.From.Value, call.To.Value));
    }

    private static Finding? Certificate(TrustSnapshot snapshot, RemoteAccess holder, RemoteSecret secret)
    {
        if (secret.Answer is not { Verdict: RemoteVerdict.Untrusted } answer) return null;
        var replace = $"{Replace(snapshot, holder, secret)} For another address add --api-server={secret.To}=https://HOST:PORT.";
        var what = $"The certificate of the API server of '{secret.To}' {answer.Detail} ('{secret.Name}').";
        return answer.IsDirect || RemoteServer.IsOnlyLocal(secret.Server!) ? Error(what, replace)
            : Warning($"{what} This machine does not reach {Server(secret)} itself, which may have another certificate.", replace);
    }

    private static Finding? Token(TrustSnapshot snapshot, RemoteAccess holder, RemoteSecret secret)
    {
        var renew = secret.IsOurs ? Run : Replace(snapshot, holder, secret);
        var left = secret.Expires - snapshot.At;
        var end = Text.Time(secret.Expires ?? default);
        return (secret.Answer.Verdict, left) switch
        {
            (not RemoteVerdict.Accepted, { Ticks: <= 0 }) => Error($"The token in '{secret.Name}' ended {end}.", renew),
            (RemoteVerdict.Rejected, _) => Error(
                $"The API server of '{secret.To}' rejects the token in '{secret.Name}': it was revoked, or its account deleted.", renew),
            (RemoteVerdict.Accepted, _) when secret.Answer.Lacking is { Count: > 0 } lacking => Error(
                $"The account of the token in '{secret.Name}' may not list {string.Join(", ", lacking)} in '{secret.To}', so istiod never"
                    + " finishes reading that cluster.",
                secret.IsOurs ? $"{Run} An account of --reader-service-account needs the ClusterRole of Istio's reader."
                    : $"Bind Istio's reader ClusterRole to it, or replace it. {Replace(snapshot, holder, secret)}"),
            _ when left < Soon => Warning($"The token in '{secret.Name}' ends {end}.", renew),
            _ => null,
        };
    }

    private static List<IGrouping<string, ClusterName>> Networks(TrustSnapshot snapshot) =>
        [.. snapshot.Topology.Clusters.Where(c => c.Network is not null).GroupBy(c => c.Network!, c => c.Name)];

    private static IEnumerable<Finding> Gateways(TrustSnapshot snapshot)
    {
        foreach (var network in Networks(snapshot))
        {
            var members = snapshot.Remotes.Where(r => network.Contains(r.Cluster)).ToList();
            if (members.Any(m => m.Gateways is null)) continue;
            if (snapshot.Clusters.All(c => !network.Contains(c.Name) || c.Live.Published is null)) continue;
            var found = members.SelectMany(m => m.Gateways!.Select(g => (Member: m, Gateway: g))).ToList();
            var own = found.Where(f => f.Gateway.Network == network.Key).ToList();
            if (own.Any(f => f.Gateway is { HasPort: true, HasAddress: true })) continue;
            var port = snapshot.Topology.Mode is DataPlaneMode.Ambient ? 15008 : 15443;
            var (member, gateway) = own.Concat(found).FirstOrDefault((members[0], null!));
            var kubectl = $"kubectl{Context(snapshot, member)}";
            yield return (gateway switch
            {
                null => Error($"The network '{network.Key}' has no east-west gateway, so other networks do not reach its workloads.",
                    "Install one: --target=InstallValues writes its values and the commands."),
                _ when gateway.Network != network.Key => Error(
                    $"The Service {gateway.Name} does not have the label {NetworkLabel}={network.Key}, so it is not a gateway to istiod.",
                    $"Run: {kubectl} -n {gateway.Name.Replace("/", " label --overwrite service ", StringComparison.Ordinal)}"
                    + $" {NetworkLabel}={network.Key}"),
                { HasPort: false } => Error($"The gateway {gateway.Name} of the network '{network.Key}' does not have the port {port}.",
                    "Install it with the values of --target=InstallValues."),
                _ => Error($"The gateway {gateway.Name} of the network '{network.Key}' has no external address yet.",
                    $"Wait for it: {kubectl} -n {gateway.Name.Replace("/", " get service ", StringComparison.Ordinal)} --watch. If it stays"
                    + " pending, the cluster has no load balancer, or its pool is used up."),
            }).In(member.Cluster.Value);
        }
    }

    private static bool IsPrimary(TrustSnapshot snapshot, RemoteAccess holder) =>
        snapshot.Topology.Clusters.Any(c => c.Name == holder.Cluster && (c.Primary is null || c.Primary == c.Name));

    private static string Server(RemoteSecret secret) => secret.Server!.GetLeftPart(UriPartial.Authority);

    private static string Replace(TrustSnapshot snapshot, RemoteAccess holder, RemoteSecret secret) =>
        $"Run: {Kubectl(snapshot, holder)} delete secret {secret.Name}. Then run --target=RemoteSecrets.";

    private static string Kubectl(TrustSnapshot snapshot, RemoteAccess holder) =>
        $"kubectl{Context(snapshot, holder)} -n {snapshot.Topology.Trust.Namespace}";

    private static string Context(TrustSnapshot snapshot, RemoteAccess holder) =>
        snapshot.Clusters.FirstOrDefault(c => c.Name == holder.Cluster)?.Context is { Length: > 0 } context ? $" --context {context}" : "";
}
