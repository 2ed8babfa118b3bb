using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using MeshTrust.ControlPlanes.Embedded.Identity;

namespace MeshTrust.ControlPlanes.Embedded.State;

/// <summary>A server that another process (or another provider of this one) runs on the same state.</summary>
internal sealed record RunningServer(Uri Server, string Kubeconfig)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Kubeconfigs are secret.</summary>
    public override string ToString() => Server.ToString();

    /// <summary>
    /// Asks the recorded port. Only a server with the recorded CA that takes the recorded administrator counts: somebody else may
    /// listen there by now. Null where there is none (yet).
    /// </summary>
    public static async Task<RunningServer?> FindAsync(StateDirectory state, string cluster, CancellationToken cancellationToken)
    {
        if (state.ReadPort() is not (> 0 and var port) || state.ReadIdentity() is not { } bytes) return null;
        ServerIdentity identity;
        try
        {
            identity = ServerIdentity.Parse(bytes);
        }
        catch (FormatException e)
        {
            throw state.Corrupt(state.IdentityFile, e.Message);
        }

        using (identity)
        {
            var server = EmbeddedControlPlane.Address(port);
            return await AnswersAsync(server, identity, cancellationToken).ConfigureAwait(false)
                ? new RunningServer(server, identity.Administrator.ToKubeconfig(cluster, server, identity.Ca.CertificatePem))
                : null;
        }
    }

    private static async Task<bool> AnswersAsync(Uri server, ServerIdentity identity, CancellationToken cancellationToken)
    {
        using var certificate = identity.CreateAdministratorCertificate();
        var trust = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        trust.CustomTrustStore.Add(identity.Ca.Certificate);
        using var handler = new SocketsHttpHandler
        {
            // A proxy of the environment must not come between, not even on loopback.
            UseProxy = false,
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = trust,
                ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            },
        };
        using var client = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using var answer = await client.GetAsync(new Uri(server, "api/v1/namespaces/kube-system"), cancellationToken).ConfigureAwait(false);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}
