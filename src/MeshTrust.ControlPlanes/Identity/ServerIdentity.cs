using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Identity;

/// <summary>All credentials of one server: its CA, its serving certificate and the administrator's certificate.</summary>
internal sealed class ServerIdentity(ThrowawayCa ca, ClientCredential server, ClientCredential administrator) : IDisposable
{
    public const string AdministratorGroup = "system:masters";

    public ThrowawayCa Ca => ca;
    public ClientCredential Server => server;
    public ClientCredential Administrator => administrator;

    public static ServerIdentity Create(string cluster, DateTimeOffset now)
    {
        var ca = ThrowawayCa.Create(cluster, now);
        return new ServerIdentity(ca, ca.IssueServer(now), ca.IssueUser("kubernetes-admin", [AdministratorGroup], now));
    }

    /// <summary>Chains end only at this CA.</summary>
    public static X509ChainPolicy OnlyTrust(X509Certificate2 ca) => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { ca },
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };

    /// <summary>Whether it remains valid for a while; if not, a new one replaces it.</summary>
    public bool IsFresh(DateTimeOffset now) =>
        now >= Ca.Certificate.NotBefore && now + ThrowawayCa.RenewBefore < Ca.Certificate.NotAfter;

    /// <exception cref="FormatException">The text was not written by this class. The message does not quote it.</exception>
    public static ServerIdentity Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var root = JsonNode.Parse(json)!.AsObject();
            string Text(string name) => root[name]!.GetValue<string>();
            var identity = new ServerIdentity(
                ThrowawayCa.Load(Text("caCertificate"), Text("caKey")),
                new ClientCredential(Text("serverCertificate"), Text("serverKey")),
                new ClientCredential(Text("administratorCertificate"), Text("administratorKey")));
            identity.Server.ToCertificate().Dispose();
            identity.Administrator.ToCertificate().Dispose();
            return identity;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or CryptographicException or ArgumentException
            or NullReferenceException)
        {
            throw new FormatException("It does not contain the certificates and keys of a cluster.");
        }
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["caCertificate"] = Ca.CertificatePem,
        ["caKey"] = Ca.ExportKeyPem(),
        ["serverCertificate"] = Server.CertificatePem,
        ["serverKey"] = Server.KeyPem,
        ["administratorCertificate"] = Administrator.CertificatePem,
        ["administratorKey"] = Administrator.KeyPem,
    });

    public string Kubeconfig(string name, Uri server) => administrator.ToKubeconfig(name, server, ca.CertificatePem);

    public void Dispose() => ca.Dispose();
}

/// <summary>A cluster's own CA, ECDSA P-256: it signs the certificates of the server and its users, and nothing else trusts it.</summary>
internal sealed class ThrowawayCa(X509Certificate2 certificate) : IDisposable
{
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);
    public static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    public X509Certificate2 Certificate => certificate;

    public string CertificatePem => Certificate.ExportCertificatePem() + "\n";

    public static ThrowawayCa Create(string cluster, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName($"CN={cluster} control plane"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        const X509KeyUsageFlags Usage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature;
        request.CertificateExtensions.Add(new X509KeyUsageExtension(Usage, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return new ThrowawayCa(request.CreateSelfSigned(now - ClockSkew, now + Lifetime));
    }

    /// <exception cref="CryptographicException">The texts are not a certificate and key, or they do not match.</exception>
    public static ThrowawayCa Load(string certificatePem, string keyPem) => new(X509Certificate2.CreateFromPem(certificatePem, keyPem));

    public string ExportKeyPem() => Certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>A serving certificate for loopback.</summary>
    public ClientCredential IssueServer(DateTimeOffset now)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName("kubernetes.default.svc");
        names.AddIpAddress(IPAddress.Loopback);
        return Issue(new X500DistinguishedName("CN=localhost"), ServerAuthentication, names.Build(), now - ClockSkew, Certificate.NotAfter);
    }

    /// <summary>A user's certificate that lasts as long as the CA: CN is the user, each O a group, as Kubernetes reads it.</summary>
    public ClientCredential IssueUser(string user, IReadOnlyList<string> groups, DateTimeOffset now) =>
        IssueUser(user, groups, now - ClockSkew, Certificate.NotAfter);

    public ClientCredential IssueUser(string user, IReadOnlyList<string> groups, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        var subject = new X500DistinguishedNameBuilder();
        foreach (var group in groups) subject.AddOrganizationName(group);
        subject.AddCommonName(user);
        return Issue(subject.Build(), ClientAuthentication, null, notBefore, notAfter);
    }

    public void Dispose() => certificate.Dispose();

    private ClientCredential Issue(
        X500DistinguishedName subject, string purpose, X509Extension? names, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], false));
        if (names is not null) request.CertificateExtensions.Add(names);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));

        // A positive number of full length (RFC 5280, section 4.1.2.2).
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        using var signer = Certificate.GetECDsaPrivateKey()!;
        var generator = X509SignatureGenerator.CreateForECDsa(signer);
        using var issued = request.Create(certificate.SubjectName, generator, notBefore, notAfter, serial);
        return new ClientCredential(issued.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }
}

/// <summary>A certificate and its key as PEM. No ToString includes the key.</summary>
internal sealed record ClientCredential(string CertificatePem, string KeyPem)
{
    public override string ToString() => "a client certificate";

    public X509Certificate2 ToCertificate()
    {
        var certificate = X509Certificate2.CreateFromPem(CertificatePem, KeyPem);
        if (!OperatingSystem.IsWindows()) return certificate;

        // Schannel cannot use a key that exists in memory only.
        using (certificate) return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>A kubeconfig with everything inline. The name is in quotes, because a cluster may be called 1 or true.</summary>
    public string ToKubeconfig(string name, Uri server, string caPem) => $"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: "{name}"
          cluster:
            server: {server.GetLeftPart(UriPartial.Authority)}
            certificate-authority-data: {Base64(caPem)}
        contexts:
        - name: "{name}"
          context:
            cluster: "{name}"
            user: "{name}"
        current-context: "{name}"
        users:
        - name: "{name}"
          user:
            client-certificate-data: {Base64(CertificatePem)}
            client-key-data: {Base64(KeyPem)}

        """.ReplaceLineEndings("\n");

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));
}

/// <summary>HTTP to one server as its administrator. Only its own CA is trusted: another program on the port is rejected.</summary>
internal static class AdministratorClient
{
    public static HttpClient Create(ServerIdentity identity, Uri server, TimeSpan timeout)
    {
        var handler = new SocketsHttpHandler
        {
            // Never use a proxy from the environment, not even on loopback.
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

    /// <summary>Whether a path responds with success; anything else, including a foreign certificate, counts as no.</summary>
    public static async Task<bool> AnswersAsync(HttpClient client, string path, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken).ConfigureAwait(false);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
