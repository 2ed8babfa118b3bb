
namespace MeshTrust.Settings;

/// <summary>What one word says of the provider: <c>docker</c> and <c>podman</c> are kind with that engine.</summary>
internal readonly record struct ProviderWord(ProviderChoice Choice, ContainerEngineChoice? Engine = null);
