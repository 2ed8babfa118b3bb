using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Takes the root CA with its key from a running cluster into the trust store, and never overwrites another root.</summary>
[TaskName("FetchRootCa")]
[TaskDescription("Takes the root CA from a running cluster, such as a self-signed istiod's, into the trust store (--from=CLUSTER)")]
public sealed class FetchRootCaTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var (trust, clusters) = (settings.Topology.Trust, settings.Topology.Clusters);
        var cluster = settings.Cluster ?? (clusters.Count == 1 ? clusters[0] : throw new MeshTrustException(Stage.Input, new Problem(
            "MT0010", "--from", $"There are {clusters.Count} clusters, and FetchRootCa takes the CA of one.",
            $"Use --from={clusters[0].Name}.")));
        var access = (await session.AccessAsync(context)).First(a => a.Name == cluster.Name);
        var api = session.Connect(Stage.CertificateAuthority)(access);
        var live = await LiveTrust.ReadAsync(api, trust.Namespace, access.ContextName, session.Token);
        var fetched = FetchedRoot.Of(live);
        session.KeepFromGit(context, settings.Run.CertsDirectory);
        var store = new TrustStore(settings.Run.CertsDirectory);
        var outcome = await RootCaIssuer.ImportAsync(store, trust, fetched.Root, fetched.Key, fetched.Place, session.Time, session.Token);
        context.Log.Information($"root: {outcome.Kind.ToString().ToLowerInvariant()} from {fetched.Place}, {outcome.Material.Certificate}");
        if (!fetched.IsPublished) context.Log.Warning($"{cluster.Name}: istiod publishes no root yet, so this could not be compared.");
        if (outcome.Kind == IssueKind.Imported) session.TellOfKeys(context);
        session.Outcome.Next = NextSteps.Fetched(store, outcome.Material, trust);
    }
}
