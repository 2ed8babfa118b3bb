using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;

namespace MeshTrust.Tests.ControlPlanes.Native;

/// <summary>HTTP with the credentials of a kubeconfig, without MeshTrust's client.</summary>
internal sealed class KubeconfigClient : IDisposable
{
    public KubeconfigClient(string kubeconfig, Uri? server = null)
    {
        Authority = Value(kubeconfig, "certificate-authority-data");
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(X509Certificate2.CreateFromPem(Decode(Authority)));
        var certificate = X509Certificate2.CreateFromPem(Decode(Value(kubeconfig, "client-certificate-data")), Decode(Value(kubeconfig, "client-key-data")));
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust, ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) },
        };
        Http = new HttpClient(handler) { BaseAddress = server ?? new Uri(Value(kubeconfig, "server")), Timeout = TimeSpan.FromMinutes(2) };
    }

    public HttpClient Http { get; }

    public string Authority { get; }

    public void Dispose() => Http.Dispose();

    private static string Value(string kubeconfig, string key) => Regex.Match(kubeconfig, $@"\b{key}: (\S+)").Groups[1].Value;

    private static string Decode(string base64) => Encoding.ASCII.GetString(Convert.FromBase64String(base64));
}
