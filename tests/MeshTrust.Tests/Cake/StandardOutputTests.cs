using global::Cake.Frosting.MeshTrust;

namespace MeshTrust.Tests.Cake;

[TestFixture, NonParallelizable]
public sealed class StandardOutputTests
{
    [TestCase("--output=json")]
    [TestCase("--OUTPUT=JSON")]
    [TestCase("--output", "json")]
    [TestCase("--output:json")]
    public void Keeps_standard_output_for_the_report_alone(params string[] args)
    {
        Assert.That(Write(args), Is.EqualTo(("report", "told")));
    }

    [TestCase("--output=plain")]
    [TestCase("--output")]
    [TestCase]
    public void Leaves_standard_output_unchanged(params string[] args)
    {
        Assert.That(Write(args), Is.EqualTo(("reporttold", "")));
    }

    private static (string Standard, string Error) Write(string[] args)
    {
        var before = (Console.Out, Console.Error);
        using var standard = new StringWriter();
        using var error = new StringWriter();
        Console.SetOut(standard);
        Console.SetError(error);
        try
        {
            using var output = StandardOutput.For(args);
            output.Report.Write("report");
            Console.Write("told");
            return (standard.ToString(), error.ToString());
        }
        finally
        {
            Console.SetOut(before.Out);
            Console.SetError(before.Error);
        }
    }
}
