using System.Text.RegularExpressions;
using MeshTrust.ControlPlanes.Native;
using MeshTrust.Tests.Architecture;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.ControlPlanes.Native;

/// <summary>The roles that the docs tell people to apply, on a server that has RBAC.</summary>
[TestFixture, NonParallelizable, Category("Real"), Category(OutsideTool.Category)]
public sealed class DocumentedRoleTests
{
    [Test]
    public async Task The_documented_roles_are_sufficient_and_grant_nothing_else()
    {
        using var scratch = new ScratchDirectory();
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs/existing-clusters.md"));
        var roles = Regex.Matches(page, "```yaml\n(.*?)```", RegexOptions.Singleline).Select(m => m.Groups[1].Value).Single(text => text.Contains("kind: ClusterRole", StringComparison.Ordinal));
        await using var planes = await NativeControlPlanes.StartAsync(new NativeControlPlanesOptions { Names = ["east"], Binaries = RealBinaries.Find(), StartTimeout = TimeSpan.FromMinutes(2) });
        var admin = new Kubectl(planes.Planes["east"].KubeconfigPath, scratch.File("cache"));
        admin.Do("create", "namespace", "istio-system");
        admin.Do("apply", "-f", scratch.Write("roles.yaml", roles.Replace("YOUR-USER", "meshtrust", StringComparison.Ordinal)));
        scratch.Write("kubeconfig", planes.Planes["east"].AddUser("meshtrust"));

        var variables = new Dictionary<string, string?> { ["KUBECONFIG"] = scratch.File("kubeconfig"), ["CTX_CLUSTER1"] = "east" };
        var (code, output) = HostProcess.Run(scratch.Location, ["--target=Verify", "--provider=existing", "--cluster-names=east", "--work-dir=mesh", "--rootca-keysz=p256", "--intermediate-keysz=p256"], variables);
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Contain("One cluster: its workloads trust each other").And.Not.Contain("MT3007"));
        Assert.That(new Kubectl(scratch.File("kubeconfig"), scratch.File("cache2")).Fail("get", "secrets", "-n", "default"), Does.Contain("cannot list resource"));
    }
}
