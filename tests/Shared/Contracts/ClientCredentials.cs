using System.Security.Cryptography.X509Certificates;
using System.Text;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Tests.Contracts;

/// <summary>The content of a kubeconfig with one user, read without the library under test.</summary>
public sealed record ClientCredentials
{
    public required Uri Server { get; init; }

    public required string Context { get; init; }

    /// <summary>The only root that may have issued the server's certificate.</summary>
    public required string AuthorityPem { get; init; }

    /// <summary>The client's certificate; null for an anonymous client.</summary>
    public string? CertificatePem { get; init; }

    public string? KeyPem { get; init; }

    public static ClientCredentials Parse(string kubeconfig)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(kubeconfig));
        var root = yaml.Documents[0].RootNode;
        var (cluster, user) = (root["clusters"][0]["cluster"], root["users"][0]["user"]);
        return new ClientCredentials
        {
            Server = new Uri(Text(cluster["server"])),
            Context = Text(root["current-context"]),
            AuthorityPem = Decoded(cluster["certificate-authority-data"]),
            CertificatePem = Decoded(user["client-certificate-data"]),
            KeyPem = Decoded(user["client-key-data"]),
        };
    }

    /// <summary>A client without a certificate.</summary>
    public ClientCredentials Anonymous() => this with { CertificatePem = null, KeyPem = null };

    /// <summary>The client's certificate with its key, usable for TLS; null for an anonymous client.</summary>
    public X509Certificate2? Certificate()
    {
        if (CertificatePem is null) return null;
        var certificate = X509Certificate2.CreateFromPem(CertificatePem, KeyPem);
        if (!OperatingSystem.IsWindows()) return certificate;
        using (certificate) return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    private static string Text(YamlNode node) => ((YamlScalarNode)node).Value!;

    private static string Decoded(YamlNode node) => Encoding.ASCII.GetString(Convert.FromBase64String(Text(node)));
}
