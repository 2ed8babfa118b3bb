using System.Globalization;
using MeshTrust.Benchmarks.Planes;
using MeshTrust.Benchmarks.Processes;
using MeshTrust.ControlPlanes.Native;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>
/// New intermediates for a hundred contexts on one real API server, each with a namespace of its own: RotateIntermediates with its gates,
/// against a shell loop of openssl and kubectl that issues, verifies the chain and replaces the secret. P-256 keys on both sides. The
/// requests are those that the server counted.
/// </summary>
internal sealed class RealRotation(MeasuredHost host) : IMeasurement
{
    private const int Contexts = 100;

    public string Name => "real-rotation";

    public string What => $"new intermediates for {Contexts} contexts on one real API server, against a loop of openssl and kubectl";

    public int Runs => 3;

    public bool ByDefault => PlaneBinaries.AreThere && Kubectl is not null && OpenSsl is not null;

    private static string? Kubectl => PlaneBinaries.Find().Kubectl ?? ChildProcess.OnPath("kubectl");

    private static string? OpenSsl => ChildProcess.OnPath("openssl");

    public async Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken)
    {
        if (Kubectl is not { } kubectl || OpenSsl is not { } openssl) throw new ChildFailedException("real-rotation needs kubectl and openssl.");
        using var work = new TemporaryDirectory();
        await ChildProcess.RunAsync(host.Run("ClusterCacerts", work.Location, [$"--clusters={Contexts}", .. ContextsPush.Keys]), cancellationToken).ConfigureAwait(false);
        var planes = await NativeControlPlanes.StartAsync(new NativeControlPlanesOptions { Names = ["one"], Binaries = PlaneBinaries.Find(), StartTimeout = TimeSpan.FromMinutes(5) }, cancellationToken).ConfigureAwait(false);
        await using (planes.ConfigureAwait(false))
        {
            var kubeconfigs = ContextsPush.WriteKubeconfigs(work.Location, planes.Planes["one"].KubeconfigText, Contexts);
            List<Effort> ours = [], theirs = [];
            List<double> ourCalls = [], theirCalls = [];
            for (var i = 0; i < runs; i++)
            {
                string[] mesh = [work.Location, kubeconfigs, $"{Contexts}", $"mesh{i}"];
                await ChildProcess.RunAsync(MeasuredHost.OfThisProgram([ContextsPush.Verb, .. mesh]), cancellationToken).ConfigureAwait(false);
                await MeasureAsync(MeasuredHost.OfThisProgram([ContextsRotation.Verb, .. mesh]), ours, ourCalls).ConfigureAwait(false);
                await MeasureAsync(Loop(openssl, kubectl, work.Location, kubeconfigs, mesh[3]), theirs, theirCalls).ConfigureAwait(false);
                // What the loop wrote is in no trust store: the next run begins with new namespaces.
            }

            return
            [
                .. Effort.Rows($"{Contexts} intermediates rotated on one real API server, proven", ours, theirs, "openssl and kubectl in a loop", aim: 1),
                new() { What = "- requests to the server", Unit = Unit.Requests, Ours = new Samples(ourCalls), Theirs = new Samples(theirCalls), Against = "openssl and kubectl in a loop", IsRatio = true },
            ];

            async Task MeasureAsync(ChildCommand command, List<Effort> efforts, List<double> calls)
            {
                var before = await CallsAsync().ConfigureAwait(false);
                efforts.Add(Effort.Of(await ChildProcess.RunAsync(command, cancellationToken).ConfigureAwait(false)));
                calls.Add(await CallsAsync().ConfigureAwait(false) - before);
            }

            async Task<double> CallsAsync()
            {
                var metrics = await ChildProcess.RunAsync(new ChildCommand(kubectl, ["--kubeconfig", $"{kubeconfigs}/cluster1", "get", "--raw", "/metrics"], work.Location), cancellationToken).ConfigureAwait(false);
                return metrics.Output.Split('\n').Where(l => l.StartsWith("apiserver_request_total{", StringComparison.Ordinal)).Sum(l => double.Parse(l.Split(' ')[^1], CultureInfo.InvariantCulture));
            }
        }
    }

    private static ChildCommand Loop(string openssl, string kubectl, string work, string kubeconfigs, string prefix)
    {
        var script = $"""
            set -e
            mkdir -p loop && cd loop
            root='{work}/certs'
            i=1
            while [ $i -le {Contexts} ]; do
              k="'{kubectl}' --cache-dir '{work}/cache' --kubeconfig '{kubeconfigs}/cluster$i' --namespace {prefix}-$i"
              printf 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nbasicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,digitalSignature,keyCertSign,cRLSign\nsubjectAltName=DNS:istiod.istio-system.svc\n' > ext
              '{openssl}' req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca-key.pem -out ca.csr -subj "/O=Istio/CN=Intermediate CA/L=cluster$i" 2>/dev/null
              '{openssl}' x509 -req -sha256 -days 3650 -CA "$root/root-cert.pem" -CAkey "$root/root-key.pem" -CAcreateserial -CAserial serial -extfile ext -in ca.csr -out ca-cert.pem 2>/dev/null
              cat ca-cert.pem "$root/root-cert.pem" > cert-chain.pem
              '{openssl}' verify -CAfile "$root/root-cert.pem" ca-cert.pem >/dev/null
              eval "$k create secret generic cacerts --from-file=ca-cert.pem --from-file=ca-key.pem --from-file=root-cert.pem=$root/root-cert.pem --from-file=cert-chain.pem --dry-run=client -o yaml" | eval "$k replace -f -" >/dev/null
              i=$((i+1))
            done
            """;
        return new ChildCommand("/bin/sh", ["-c", script.ReplaceLineEndings("\n")], work);
    }
}
