using System.Net.Security;

namespace MeshTrust.ControlPlanes.Identity;

/// <summary>HTTP to one server as its administrator. Only the server's own CA counts: a stranger on the same port is not greeted.</summary>
internal static class AdministratorClient
{
    public static HttpClient Create(ServerIdentity identity, Uri server, TimeSpan timeout)
    {
        var handler = new SocketsHttpHandler
        {
            // A proxy of the environment must not come between, not even on loopback.
            UseProxy = false,
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = ServerIdentity.OnlyTrust(identity.Ca.Certificate),
                ClientCertificateContext = SslStreamCertificateContext.Create(identity.Administrator.ToCertificate(), null, offline: true),
            },
        };
        return new HttpClient(handler) { BaseAddress = server, Timeout = timeout };
    }

    /// <summary>Whether a path answers with success; everything else, a stranger's certificate too, is no.</summary>
    public static async Task<bool> AnswersAsync(HttpClient client, string path, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken).ConfigureAwait(false);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}
