using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>What a container engine says of itself (<c>docker info</c>, <c>podman info</c>).</summary>
public sealed record EngineInfo
{
    /// <summary>Docker or Podman.</summary>
    public required ContainerEngineChoice Engine { get; init; }

    /// <summary>The server's version, such as <c>28.2.2</c>.</summary>
    public required string Version { get; init; }

    /// <summary>Where it listens, such as <c>unix:///var/run/docker.sock</c>.</summary>
    public string Endpoint { get; init; } = "";

    /// <summary>Its operating system in words, such as <c>Debian GNU/Linux 12</c> or <c>Docker Desktop</c>.</summary>
    public string OperatingSystem { get; init; } = "";

    /// <summary>Its architecture as Go names it: <c>amd64</c>, <c>arm64</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>1 or 2.</summary>
    public int CgroupVersion { get; init; } = 2;

    /// <summary><c>systemd</c> or <c>cgroupfs</c>.</summary>
    public string CgroupDriver { get; init; } = "";

    /// <summary>Processors that containers have.</summary>
    public int Processors { get; init; }

    /// <summary>Memory that containers have, in bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Where images and containers lie on the engine's machine, such as <c>/var/lib/docker</c>.</summary>
    public string RootDirectory { get; init; } = "";

    /// <summary>How containers' output is kept, such as <c>json-file</c> or <c>journald</c>.</summary>
    public string LogDriver { get; init; } = "";

    /// <summary>Where new networks get their ranges from, where the daemon's configuration says so (<c>default-address-pools</c>); empty for the built-in pools.</summary>
    public IReadOnlyList<EngineAddressPool> AddressPools { get; init; } = [];

    /// <summary>Whether it runs without root.</summary>
    public bool IsRootless { get; init; }

    /// <summary>Whether it is another machine's: its endpoint is <c>tcp://</c> or <c>ssh://</c> of a host that is not this one.</summary>
    public bool IsRemote { get; init; }
}
