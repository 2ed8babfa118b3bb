using System.Diagnostics;
using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>
/// The commands of the targets <c>root-ca</c> and <c>NAME-cacerts</c> of Istio's tools/certs/Makefile.selfsigned.mk,
/// in sequence. Without make and without shells, which would only add time.
/// </summary>
internal sealed class OpensslAuthority(string openssl, string directory)
{
    private const string Extensions = """
        subjectKeyIdentifier = hash
        keyUsage = critical, digitalSignature, nonRepudiation, keyEncipherment, keyCertSign

        """;

    /// <summary>Issues a root and an intermediate for each cluster.</summary>
    public async Task<Effort> IssueAsync(IReadOnlyList<string> clusters, CancellationToken cancellationToken)
    {
        var cpu = ChildCpu.SoFar();
        var clock = Stopwatch.StartNew();
        await RootAsync(cancellationToken).ConfigureAwait(false);
        foreach (var cluster in clusters) await IntermediateAsync(cluster, cancellationToken).ConfigureAwait(false);
        return new Effort(clock.Elapsed, ChildCpu.SoFar() - cpu);
    }

    private async Task RootAsync(CancellationToken cancellationToken)
    {
        Configure("root-ca.conf", "O = Istio\nCN = Root CA\n", "basicConstraints = critical, CA:true\n" + Extensions);
        await RunAsync("genrsa -out root-key.pem 4096", cancellationToken).ConfigureAwait(false);
        await RunAsync("req -sha256 -new -key root-key.pem -config root-ca.conf -out root-cert.csr", cancellationToken).ConfigureAwait(false);
        await RunAsync("x509 -req -sha256 -days 3650 -signkey root-key.pem -extensions req_ext -extfile root-ca.conf -in root-cert.csr -out root-cert.pem", cancellationToken).ConfigureAwait(false);
    }

    private async Task IntermediateAsync(string cluster, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(directory, cluster));
        Configure($"{cluster}/intermediate.conf", $"O = Istio\nCN = Intermediate CA\nL = {cluster}\n", "basicConstraints = critical, CA:true, pathlen:0\nsubjectAltName = DNS:istiod.istio-system.svc\n" + Extensions);
        await RunAsync($"genrsa -out {cluster}/ca-key.pem 4096", cancellationToken).ConfigureAwait(false);
        await RunAsync($"req -sha256 -new -config {cluster}/intermediate.conf -key {cluster}/ca-key.pem -out {cluster}/cluster-ca.csr", cancellationToken).ConfigureAwait(false);
        await RunAsync($"x509 -req -sha256 -days 3650 -CA root-cert.pem -CAkey root-key.pem -CAcreateserial -extensions req_ext -extfile {cluster}/intermediate.conf -in {cluster}/cluster-ca.csr -out {cluster}/ca-cert.pem", cancellationToken).ConfigureAwait(false);

        var (certificate, root) = (Read($"{cluster}/ca-cert.pem"), Read("root-cert.pem"));
        Write($"{cluster}/cert-chain.pem", certificate + root);
        Write($"{cluster}/root-cert.pem", root);
    }

    private void Configure(string file, string name, string extensions) => Write(file, $"""
        [ req ]
        prompt = no
        encrypt_key = no
        utf8 = yes
        default_md = sha256
        req_extensions = req_ext
        distinguished_name = req_dn
        [ req_ext ]
        {extensions}
        [ req_dn ]
        {name}
        """);

    private Task<ChildRun> RunAsync(string arguments, CancellationToken cancellationToken) =>
        ChildProcess.RunAsync(new ChildCommand(openssl, arguments.Split(' '), directory), cancellationToken);

    private string Read(string file) => File.ReadAllText(Path.Combine(directory, file));

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(directory, file), text);
}
