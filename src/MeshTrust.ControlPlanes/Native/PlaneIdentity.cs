using System.Security.Cryptography;
using System.Text;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>The credentials of one control plane: CA, serving and administrator's certificate, and the key that signs tokens of service accounts.</summary>
internal sealed class PlaneIdentity(ServerIdentity server, string tokenKeyPem) : IDisposable
{
    public ServerIdentity Server { get; } = server;

    /// <summary>PKCS#8, ECDSA P-256: secret.</summary>
    public string TokenKeyPem { get; } = tokenKeyPem;

    public static PlaneIdentity Create(string name, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new PlaneIdentity(ServerIdentity.Create(name, now), key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    public string Kubeconfig(string name, Uri server) => Server.Administrator.ToKubeconfig(name, server, Server.Ca.CertificatePem);

    /// <summary>Writes the files that kube-apiserver reads, 0600.</summary>
    public void Write(string directory)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(TokenKeyPem);
        Put("ca.crt", Server.Ca.CertificatePem);
        Put("server.crt", Server.Server.CertificatePem);
        Put("server.key", Server.Server.KeyPem);
        Put("sa.key", TokenKeyPem);
        Put("sa.pub", key.ExportSubjectPublicKeyInfoPem() + "\n");

        void Put(string file, string text) => WholeFile.Replace(Path.Combine(directory, file), Encoding.ASCII.GetBytes(text), secret: true);
    }

    /// <summary>Keys are in no text.</summary>
    public override string ToString() => "the credentials of a control plane";

    public void Dispose() => Server.Dispose();
}
