using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>The usual mesh: a root and two intermediates of RSA-4096, compared with openssl.</summary>
internal sealed class TwoClusters(MeasuredHost host) : IMeasurement
{
    private static readonly string[] Clusters = ["cluster1", "cluster2"];

    public string Name => "two-clusters";

    public string What => "root + 2 clusters, RSA-4096, against openssl";

    /// <summary>Many, because the time to generate an RSA key varies widely.</summary>
    public int Runs => 21;

    public bool ByDefault => true;

    public async Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken)
    {
        var openssl = ChildProcess.OnPath("openssl");
        List<Effort> ours = [], theirs = [];
        for (var i = 0; i < runs; i++)
        {
            using (var work = new TemporaryDirectory())
                ours.Add(Effort.Of(await ChildProcess.RunAsync(host.Run("ClusterCacerts", work.Location, "--clusters=2"), cancellationToken).ConfigureAwait(false)));
            if (openssl is null) continue;
            using (var work = new TemporaryDirectory())
                theirs.Add(await new OpensslAuthority(openssl, work.Location).IssueAsync(Clusters, cancellationToken).ConfigureAwait(false));
        }

        return Effort.Rows("root + 2 clusters, RSA-4096", ours, theirs, openssl is null ? "openssl: not on the PATH" : "openssl in sequence", aim: 0.6);
    }
}
