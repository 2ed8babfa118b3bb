namespace MeshTrust.Settings;

/// <summary>The program that runs the nodes of kind clusters.</summary>
public enum ContainerEngineChoice
{
    /// <summary>Docker where it answers, else Podman.</summary>
    Auto,

    /// <summary>Docker.</summary>
    Docker,

    /// <summary>Podman.</summary>
    Podman,
}
