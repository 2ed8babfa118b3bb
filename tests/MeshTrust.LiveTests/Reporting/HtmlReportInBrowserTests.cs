using MeshTrust.Checks;
using MeshTrust.Reporting;
using MeshTrust.Tests.Architecture;
using MeshTrust.Tests.Tools;
using Microsoft.Playwright;

namespace MeshTrust.Tests.Reporting;

/// <summary>
/// The page rendered by Chromium, on wide and narrow screens, light, dark and on paper. The screenshots are in
/// artifacts/screenshots for people to look at.
/// </summary>
[TestFixture, Category(OutsideTool.Category)]
internal sealed class HtmlReportInBrowserTests
{
    private static readonly Dictionary<string, Func<TrustReport>> Reports = new()
    {
        ["sound"] = CraftedReport.Sound,
        ["troubled"] = CraftedReport.Troubled,
        ["alone"] = CraftedReport.Alone,
        ["lacking"] = CraftedReport.Lacking,
        ["twelve"] = CraftedReport.Twelve,
        ["large"] = () => CraftedReport.Large(),
        ["hostile"] = CraftedReport.Hostile,
    };

    /// <summary>
    /// The contrast of every visible text with its background, as WCAG 2 computes it: [text, ratio, needed]. The background of a text
    /// in a drawing is the nearest shape before it that covers its middle.
    /// </summary>
    private const string Contrasts = """
        () => {
          const rgb = c => { const n = c.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0]; return n.length < 4 ? [...n, 1] : n; };
          const light = c => { const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };
          const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c; } return [255, 255, 255, 1]; };
          const inSvg = e => {
            const at = e.getBoundingClientRect(), x = at.x + at.width / 2, y = at.y + at.height / 2, svg = e.ownerSVGElement;
            const before = [...svg.querySelectorAll('rect, circle')].filter(s => s.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING);
            const hit = before.reverse().find(s => { const b = s.getBoundingClientRect(); return getComputedStyle(s).fill !== 'none' && b.left <= x && x <= b.right && b.top <= y && y <= b.bottom; });
            return hit ? rgb(getComputedStyle(hit).fill) : behind(svg.parentElement); };
          const found = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const e = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim() || ['title', 'desc', 'STYLE'].includes(e.nodeName) || e.closest('.hidden') || !e.checkVisibility()) continue;
            const style = getComputedStyle(e), isSvg = e.namespaceURI.endsWith('svg');
            const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
            const value = ratio(rgb(isSvg ? style.fill : style.color), isSvg ? inSvg(e) : behind(e));
            found.push([walker.currentNode.data.trim().slice(0, 40), value, large ? 3 : 4.5]);
          }
          return JSON.stringify(found);
        }
        """;

    /// <summary>Texts of the drawing that overlap another text or extend beyond the drawing.</summary>
    private const string Overlaps = """
        () => {
          const bad = [], svg = document.querySelector('svg.mesh'), frame = svg.getBoundingClientRect();
          const all = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
          all.forEach(([a, p], i) => {
            if (p.left < frame.left - 1 || p.right > frame.right + 1 || p.top < frame.top - 1 || p.bottom > frame.bottom + 1) bad.push(a + ' leaves the drawing');
            all.slice(i + 1).forEach(([b, q]) => { if (p.left < q.right - 1 && q.left < p.right - 1 && p.top + 3 < q.bottom - 3 && q.top + 3 < p.bottom - 3) bad.push(a + ' / ' + b); });
          });
          return JSON.stringify(bad);
        }
        """;

    private static IPlaywright _playwright = null!;
    private static IBrowser _browser = null!;
    private readonly List<string> _console = [];
    private IPage _page = null!;

    private static IEnumerable<string> Names => Reports.Keys;

    [SetUp]
    public async Task Open()
    {
        if (_browser is null)
        {
            // Debian's name, then that of other systems. Playwright's own browsers are never downloaded.
            var program = OutsideTool.TryFind("chromium-browser") ?? OutsideTool.TryFind("google-chrome") ?? OutsideTool.Find("chromium");
            _playwright = await Playwright.CreateAsync();
            // The page is MeshTrust's and loads nothing; as root, such as in a container, Chromium has no sandbox.
            _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = ["--no-sandbox"] });
        }

        _page = await _browser.NewPageAsync();
        _console.Clear();
        _page.Console += (_, message) => _console.Add(message.Text);
        _page.PageError += (_, error) => _console.Add(error);
        _page.Request += (_, request) => { if (!request.Url.StartsWith("file:", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal)) _console.Add($"loads {request.Url}"); };
    }

    [TearDown]
    public async Task Close()
    {
        if (_page is not null) await _page.CloseAsync();
    }

    [OneTimeTearDown]
    public async Task End()
    {
        if (_browser is not null) await _browser.CloseAsync();
        _playwright?.Dispose();
    }

    [Test]
    public async Task Fits_every_screen_with_enough_contrast_and_no_error([ValueSource(nameof(Names))] string name, [Values] bool isDark, [Values(1280, 400)] int width)
    {
        await Show(name, width, isDark ? ColorScheme.Dark : ColorScheme.Light);
        await Keep($"{name}-{width}{(isDark ? "-dark" : "")}");
        await _page.EvaluateAsync("() => document.querySelectorAll('details').forEach(d => d.open = true)");
        var wide = await _page.EvaluateAsync<int>("() => document.documentElement.scrollWidth");
        var texts = System.Text.Json.JsonDocument.Parse(await _page.EvaluateAsync<string>(Contrasts)).RootElement.EnumerateArray()
            .Select(t => (Text: t[0].GetString(), Ratio: t[1].GetDouble(), Needed: t[2].GetDouble())).ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_console, Is.Empty);
            Assert.That(wide, Is.LessThanOrEqualTo(width), "the page is wider than the screen");
            Assert.That(texts, Has.Count.GreaterThan(30));
            Assert.That(texts.Where(t => t.Ratio < t.Needed).Select(t => $"{t.Text}: {t.Ratio:0.00}"), Is.Empty, "too little contrast");
            Assert.That(await _page.EvaluateAsync<string>(Overlaps), Is.EqualTo("[]"), "texts of the drawing");
        }
    }

    [Test]
    public async Task Is_readable_by_a_screen_reader()
    {
        await Show("troubled", 1280, ColorScheme.Light);
        var main = await _page.Locator("body").AriaSnapshotAsync();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(await _page.TitleAsync(), Is.EqualTo("Failed: trust of shop"));
            Assert.That(main, Does.Contain("heading \"Trust of shop\" [level=1]").And.Contain("img \"Clusters, networks and who trusts whom\""));
            Assert.That(main, Does.Contain("table \"What the secrets promise: is a workload of the row trusted in the column?\""));
            Assert.That(main, Does.Contain("rowheader \"north\"").And.Contain("columnheader \"east\"").And.Contain("cell \"not trusted\""));
            Assert.That(main, Does.Not.Contain("✗ not trusted\"\n"), "a sign beside its word would be read twice");
        }
    }

    [Test]
    public async Task Prints_in_dark_ink_on_white_with_all_checks([Values("sound", "troubled", "large")] string name)
    {
        await Show(name, 794, ColorScheme.Dark);
        await _page.EmulateMediaAsync(new() { Media = Media.Print, ColorScheme = ColorScheme.Dark });
        await Keep($"{name}-print");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(await _page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor"), Is.EqualTo("rgb(255, 255, 255)"));
            Assert.That(await _page.Locator("#checks + details tbody tr").First.IsVisibleAsync(), Is.True);
            Assert.That(await _page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(794));
        }

        var file = Path.Combine(Screenshots, $"{name}.pdf");
        await _page.PdfAsync(new() { Path = file, Format = "A4", Margin = new() { Top = "15mm", Bottom = "15mm", Left = "15mm", Right = "15mm" } });
        Assert.That(new FileInfo(file).Length, Is.GreaterThan(10_000));
    }

    private static string Screenshots => Path.Combine(SourceTree.Root, "artifacts", "screenshots");

    private async Task Show(string name, int width, ColorScheme scheme)
    {
        Directory.CreateDirectory(Screenshots);
        var file = Path.Combine(Screenshots, $"{name}.html");
        await File.WriteAllTextAsync(file, HtmlReport.Render(Reports[name]()));
        await _page.EmulateMediaAsync(new() { ColorScheme = scheme });
        await _page.SetViewportSizeAsync(width, 900);
        await _page.GotoAsync(new Uri(file).AbsoluteUri);
    }

    private async Task Keep(string name) =>
        await _page.ScreenshotAsync(new() { Path = Path.Combine(Screenshots, $"{name}.png"), FullPage = true });
}
