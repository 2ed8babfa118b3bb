namespace MeshTrust.Settings;

/// <summary>A registry that the nodes reach by containerd's <c>certs.d/&lt;host&gt;/hosts.toml</c>.</summary>
public sealed record RegistrySpec
{
    /// <summary>The registry's container on the nodes' network.</summary>
    public required string Name { get; init; }

    /// <summary>The port that it has on the host.</summary>
    public int HostPort { get; init; } = 5000;

    /// <summary>Other host names under which images name it; empty for <c>localhost:HostPort</c>.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];
}
