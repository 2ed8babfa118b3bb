using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Checks;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Takes what a CA outside of MeshTrust signed into the trust store: all that fits its request, or nothing.</summary>
[TaskName("ImportCertificates")]
[TaskDescription("Takes the certificates that your own CA signed, with chain and root, into the trust store (--file, --cluster)")]
public sealed class ImportCertificatesTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        if (session.IsRootChanging(context)) return;
        var (topology, run) = (session.Settings(context).Topology, session.Settings(context).Run);
        var store = new TrustStore(run.CertsDirectory);
        session.KeepFromGit(context, run.CertsDirectory);
        var files = PemFiles.Read(run.Files.Count > 0 ? run.Files : [new CertificateRequests(store).Location]);
        var at = session.Time.GetUtcNow();
        var import = new CertificateImport(store, topology, chain => ImportChecks.Judge(chain, at), session.Time);
        var outcomes = await import.RunAsync(run.Clusters, files, session.Token);
        context.Log.Information($"root: {outcomes[0].Material.Root.Subject}, sha256 {outcomes[0].Material.Root.Sha256}");
        foreach (var outcome in outcomes)
        {
            var cluster = outcome.Material.Cluster.Value;
            IssueLog.Write(context, cluster, "its CA", outcome, outcome.Material.Certificate);
            foreach (var path in outcome.Replaced)
                context.Log.Information($"{cluster}: the replaced file is kept until the next successful Verify: {path}");
        }

        session.Outcome.Continue();
    }
}
