using Cake.Core.Tooling;

namespace Cake.Frosting.MeshTrust.Tools.Docker;

/// <summary>Settings of docker and podman: those that every Cake tool has.</summary>
public sealed class EngineSettings : ToolSettings;
