using System.Text;

namespace MeshTrust.ControlPlanes.Identity;

/// <summary>A client certificate and its key as PEM. The key is in no ToString.</summary>
internal sealed class ClientCredential(string certificatePem, string keyPem)
{
    public string CertificatePem { get; } = certificatePem;

    public string KeyPem { get; } = keyPem;

    public override string ToString() => "a client certificate";

    /// <summary>A kubeconfig with everything inline: cluster, context and user carry the same name, in quotes since a cluster may be called 1 or true.</summary>
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
