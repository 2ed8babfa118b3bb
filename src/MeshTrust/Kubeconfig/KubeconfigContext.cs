namespace MeshTrust.Kubeconfig;

/// <summary>What one context of a kubeconfig leads to. Nothing here is secret.</summary>
public sealed record KubeconfigContext
{
    /// <summary>The context's name.</summary>
    public required string Name { get; init; }

    /// <summary>The API server's address.</summary>
    public required Uri Server { get; init; }

    /// <summary>What tells this server from another where the API may not be asked: address and SHA-256 of the CA.</summary>
    public required string Endpoint { get; init; }

    /// <summary>The CA of the server that the file holds, as PEM; null where it names a file, or none.</summary>
    public string? Authority { get; init; }

    /// <summary>How the user is recognised, for people: <c>a client certificate</c>, <c>a token</c>, <c>the command 'aws'</c> and so on.</summary>
    public required string Credentials { get; init; }

    /// <summary>The command that makes credentials (<c>exec</c>); null for none. KubernetesClient runs it.</summary>
    public string? Command { get; init; }

    /// <summary>Whether the server's certificate is not verified (<c>insecure-skip-tls-verify</c>).</summary>
    public bool SkipsTlsVerification { get; init; }
}
