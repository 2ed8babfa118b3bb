using MeshTrust;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>What can go wrong with a program, in words.</summary>
internal static class ToolFault
{
    public const string LateId = "MT2209";

    private const int MostShown = 160;
    private const int LinesShown = 12;
    private const int MostSaid = 2000;

    public static MeshTrustException Missing(string tool) =>
        New("MT2207", tool, $"'{tool}' is neither on the PATH nor in the tools folder.", "Install it, or add its folder to the PATH.");

    public static MeshTrustException NotStarted(string tool, string path, Exception fault) =>
        New("MT2208", path, $"'{tool}' cannot be started: {fault.Message.TrimEnd('.')}.", "Make it executable, or install the one that is made for this machine.", fault);

    public static MeshTrustException Late(string command, TimeSpan deadline) =>
        New(LateId, command, $"It did not end within {Seconds(deadline)}; it was ended with all its children.", "See whether the machine or the container engine is overloaded or hangs, and run again.");

    public static MeshTrustException Ended(string command, ToolResult result) =>
        New("MT2210", command, $"It ended with {result}: {Said(result)}", "Do what it says, and run again.", new ToolFailedException(result));

    public static MeshTrustException TooMuch(string command, int most) =>
        New("MT2211", command, $"It said more than {most >> 20} MiB; it was ended.", "Run the command by hand and see what it says.");

    public static MeshTrustException Of(Problem problem, Exception? within = null) => new(Stage.ClusterCreation, problem, within);

    /// <summary>The command as a person would read it, cut where it is long.</summary>
    public static string Command(string tool, IReadOnlyList<string> arguments)
    {
        var text = string.Join(' ', arguments.Prepend(tool));
        return Printable(text.Length <= MostShown ? text : text[..MostShown] + "...");
    }

    /// <summary>The end of what a program said: on standard error where it said anything there.</summary>
    public static string Said(ToolResult result)
    {
        var text = string.IsNullOrWhiteSpace(result.Error) ? result.Output : result.Error;
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (lines.Length == 0) return "it said nothing.";
        var said = string.Join(System.Environment.NewLine + "    ", lines.TakeLast(LinesShown).Select(Printable));
        said = said.Length <= MostSaid ? said : "..." + said[^MostSaid..];
        return said is [.., '.' or '!'] ? said : said + ".";
    }

    public static string Seconds(TimeSpan time) => time.TotalMinutes >= 2 ? $"{time.TotalMinutes:0.#} minutes" : $"{time.TotalSeconds:0.#} s";

    private static string Printable(string line) => new([.. line.Select(c => char.IsControl(c) ? ' ' : c)]);

    private static MeshTrustException New(string id, string place, string what, string remedy, Exception? within = null) =>
        Of(new Problem(id, place, what, remedy), within);
}
