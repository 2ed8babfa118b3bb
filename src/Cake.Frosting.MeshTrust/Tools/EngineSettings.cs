using Cake.Core.Tooling;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Settings of docker and podman: those that every Cake tool has.</summary>
internal sealed class EngineSettings : ToolSettings;
