using MeshTrust.Benchmarks.Planes;
using MeshTrust.Benchmarks.Processes;
using MeshTrust.ControlPlanes.Native;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>
/// A hundred contexts on one real API server, each with its own namespace: push and verify as one process, compared with a shell loop of kubectl
/// that creates the namespace and the secret and reads it back. The certificates exist before either starts.
/// </summary>
internal sealed class RealPushes(MeasuredHost host) : IMeasurement
{
    private const int Contexts = 100;

    public string Name => "real-pushes";

    public string What => $"push and verify for {Contexts} contexts on one real API server, against a loop of kubectl";

    public int Runs => 3;

    public bool ByDefault => PlaneBinaries.AreThere;

    public async Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken)
    {
        var binaries = PlaneBinaries.Find();
        var kubectl = binaries.Kubectl ?? ChildProcess.OnPath("kubectl");
        using var work = new TemporaryDirectory();
        await ChildProcess.RunAsync(host.Run("ClusterCacerts", work.Location, [$"--clusters={Contexts}", .. ContextsPush.Keys]), cancellationToken).ConfigureAwait(false);
        var planes = await NativeControlPlanes.StartAsync(new NativeControlPlanesOptions { Names = ["one"], Binaries = binaries, StartTimeout = TimeSpan.FromMinutes(5) }, cancellationToken).ConfigureAwait(false);
        await using (planes.ConfigureAwait(false))
        {
            var kubeconfigs = ContextsPush.WriteKubeconfigs(work.Location, planes.Planes["one"].KubeconfigText, Contexts);
            List<Effort> ours = [], theirs = [];
            List<TimeSpan> again = [];
            for (var i = 0; i < runs; i++)
            {
                var push = MeasuredHost.OfThisProgram(ContextsPush.Verb, work.Location, kubeconfigs, $"{Contexts}", $"ours{i}");
                ours.Add(Effort.Of(await ChildProcess.RunAsync(push, cancellationToken).ConfigureAwait(false)));
                again.Add((await ChildProcess.RunAsync(push, cancellationToken).ConfigureAwait(false)).Wall);
                if (kubectl is not null) theirs.Add(Effort.Of(await ChildProcess.RunAsync(Loop(kubectl, work.Location, kubeconfigs, $"theirs{i}"), cancellationToken).ConfigureAwait(false)));
            }

            return
            [
                .. Effort.Rows($"{Contexts} contexts on one real API server: push, verify", ours, theirs, kubectl is null ? "kubectl: not found" : "kubectl, 3 calls a context", aim: 0.05),
                new() { What = "- again, unchanged", Ours = new Samples(again) },
            ];
        }
    }

    private static ChildCommand Loop(string kubectl, string work, string kubeconfigs, string prefix)
    {
        var k = $"'{kubectl}' --cache-dir '{work}/cache' --kubeconfig '{kubeconfigs}/cluster'";
        var script = $"""
            set -e
            i=1
            while [ $i -le {Contexts} ]; do
              d='{work}/certs/cluster'$i
              {k}$i create namespace {prefix}-$i >/dev/null
              {k}$i --namespace {prefix}-$i create secret generic cacerts --from-file=$d/ca-cert.pem --from-file=$d/ca-key.pem --from-file=$d/root-cert.pem --from-file=$d/cert-chain.pem >/dev/null
              {k}$i --namespace {prefix}-$i get secret cacerts -o json >/dev/null
              i=$((i+1))
            done
            """;
        return new ChildCommand("/bin/sh", ["-c", script.ReplaceLineEndings("\n")], work);
    }
}
