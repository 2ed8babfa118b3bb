using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Identity;

/// <summary>All credentials of one server: its CA, its serving certificate and the administrator's certificate.</summary>
internal sealed class ServerIdentity : IDisposable
{
    public const string AdministratorGroup = "system:masters";

    private ServerIdentity(ThrowawayCa ca, ClientCredential server, ClientCredential administrator)
    {
        Ca = ca;
        Server = server;
        Administrator = administrator;
    }

    public ThrowawayCa Ca { get; }

    public ClientCredential Server { get; }

    public ClientCredential Administrator { get; }

    public static ServerIdentity Create(string cluster, DateTimeOffset now)
    {
        var ca = ThrowawayCa.Create(cluster, now);
        return new ServerIdentity(ca, ca.IssueServer(now), ca.IssueUser("kubernetes-admin", [AdministratorGroup], now.AddMinutes(-5), ca.Certificate.NotAfter));
    }

    /// <summary>Whether it will hold for a while; where not, a new one takes its place.</summary>
    public bool IsFresh(DateTimeOffset now) =>
        now >= Ca.Certificate.NotBefore && now + ThrowawayCa.RenewBefore < Ca.Certificate.NotAfter;

    /// <exception cref="FormatException">The text is no identity that this class wrote. The message quotes nothing of it.</exception>
    public static ServerIdentity Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var root = JsonNode.Parse(json)!.AsObject();
            var ca = ThrowawayCa.Load(Text(root, "caCertificate"), Text(root, "caKey"));
            var identity = new ServerIdentity(
                ca,
                new ClientCredential(Text(root, "serverCertificate"), Text(root, "serverKey")),
                new ClientCredential(Text(root, "administratorCertificate"), Text(root, "administratorKey")));
            identity.CreateServerCertificate().Dispose();
            identity.CreateAdministratorCertificate().Dispose();
            return identity;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or CryptographicException or ArgumentException or NullReferenceException)
        {
            throw new FormatException("It holds no certificates and keys of a cluster.");
        }
    }

    public byte[] ToJson()
    {
        var root = new JsonObject
        {
            ["caCertificate"] = Ca.CertificatePem,
            ["caKey"] = Ca.ExportKeyPem(),
            ["serverCertificate"] = Server.CertificatePem,
            ["serverKey"] = Server.KeyPem,
            ["administratorCertificate"] = Administrator.CertificatePem,
            ["administratorKey"] = Administrator.KeyPem,
        };
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) root.WriteTo(writer);
        return stream.ToArray();
    }

    public X509Certificate2 CreateServerCertificate() => Load(Server);

    public X509Certificate2 CreateAdministratorCertificate() => Load(Administrator);

    public void Dispose() => Ca.Dispose();

    private static string Text(JsonObject root, string name) => root[name]!.GetValue<string>();

    private static X509Certificate2 Load(ClientCredential credential)
    {
        var certificate = X509Certificate2.CreateFromPem(credential.CertificatePem, credential.KeyPem);
        if (!OperatingSystem.IsWindows()) return certificate;

        // Schannel cannot use a key that lives in memory only.
        using (certificate) return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
