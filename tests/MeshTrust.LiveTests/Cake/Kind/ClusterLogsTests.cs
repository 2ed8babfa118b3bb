using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Kind;

public sealed class ClusterLogsTests
{
    [Test]
    public async Task Include_those_of_the_load_balancer_of_several_control_planes()
    {
        using var kind = new FakeKind();
        foreach (var container in (string[])["east-control-plane", "east-control-plane2", "east-external-load-balancer", "west-external-load-balancer"]) kind.Make(container);
        var directory = kind.Scratch.File("logs");

        await KindDiagnostics.ExportLogsAsync(kind.Run(), ClusterName.Parse("east"), directory, CancellationToken.None);

        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllText(Path.Combine(directory, "east-external-load-balancer", "serial.log")), Is.EqualTo("log of east-external-load-balancer\n"));
            Assert.That(Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Count(), Is.EqualTo(2), "kind's own, and no other cluster's");
        });
    }
}
