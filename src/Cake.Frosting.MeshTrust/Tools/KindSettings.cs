using Cake.Core.Tooling;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Settings of kind, beside those that every Cake tool has.</summary>
internal sealed class KindSettings : ToolSettings
{
    /// <summary>The engine that kind uses (<c>KIND_EXPERIMENTAL_PROVIDER</c>); never <c>Auto</c>.</summary>
    public ContainerEngineChoice Engine { get; set; } = ContainerEngineChoice.Docker;

    /// <summary>The network that the nodes join (<c>KIND_EXPERIMENTAL_DOCKER_NETWORK</c>, <c>KIND_EXPERIMENTAL_PODMAN_NETWORK</c>).</summary>
    public string Network { get; set; } = "kind";
}
