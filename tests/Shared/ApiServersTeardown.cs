using MeshTrust.Tests.Contracts;

namespace MeshTrust.Tests;

/// <summary>Ends the API servers of the run after its last test.</summary>
[SetUpFixture]
public sealed class ApiServersTeardown
{
    [OneTimeTearDown]
    public Task StopTheServers() => ApiServers.StopAsync();
}
