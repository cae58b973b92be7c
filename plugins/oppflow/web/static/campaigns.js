// The campaign page, on the React, Chakra and router of Airflow's own UI. No build step: what is
// written here is what the browser runs. Text from models only ever becomes text nodes.

const { React, ChakraUI: C, ReactRouterDOM: Router } = globalThis;
const { useCallback, useEffect, useMemo, useRef, useState } = React;
const h = React.createElement;

const API = "oppflow/api/campaigns";
const PAGE = "/plugin/campaigns";
const ROWS = 50;

// Each state of a run: what people read, and its colour in Airflow's theme.
const STATES = {
  done: ["done", "green.solid"],
  reused: ["reused", "teal.solid"],
  time_limited: ["time limited", "amber.solid"],
  failed: ["failed", "red.solid"],
  out_of_memory: ["out of memory", "fuchsia.solid"],
  lost: ["lost", "stone.solid"],
  stopped: ["stopped", "slate.solid"],
  running: ["running", "cyan.solid"],
  waiting: ["waiting", "gray.muted"],
};
const GOOD = ["done", "reused"];
const BAD = ["time_limited", "failed", "out_of_memory", "lost", "stopped"];
const DAG_RUN_COLOURS = { success: "success", failed: "failed", running: "running", queued: "queued" };
const PHASES = [
  ["pack_model", "pack"], ["resolve_runs", "resolve"], ["build_model", "build"],
  ["simulate", "simulate"], ["collect", "collect"], ["report", "report"],
];

// ---- words and numbers ----------------------------------------------------------------------

const token = (name) => `var(--chakra-colors-${name.replace(".", "-")})`;
const sum = (counts, states) => states.reduce((total, state) => total + (counts[state] ?? 0), 0);
const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

function number(value, digits = 4) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) && Math.abs(value) < 1e9 ? String(value) : String(Number(value.toPrecision(digits)));
}

function duration(seconds) {
  if (seconds === null || seconds === undefined || seconds < 0) return "–";
  if (seconds < 60) return `${number(seconds, 3)} s`;
  const whole = Math.round(seconds);
  for (const [unit, size, smaller, rest] of [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]]) {
    if (whole >= size) {
      const left = Math.floor((whole % size) / rest);
      return `${Math.floor(whole / size)} ${unit}${left ? ` ${left} ${smaller}` : ""}`;
    }
  }
  return "–";
}

function bytes(size) {
  if (!size) return "0 B";
  const step = Math.min(4, Math.floor(Math.log2(size) / 10));
  return `${number(size / 1024 ** step, 3)} ${["B", "KiB", "MiB", "GiB", "TiB"][step]}`;
}

const moment = (iso) => (iso ? new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : "–");
const seconds = (from, to) => (from ? ((to ? new Date(to) : new Date()) - new Date(from)) / 1000 : null);
const quoted = (value) => (/[\s"]/.test(String(value)) || value === "" ? `"${String(value).replaceAll('"', "")}"` : String(value));

// ---- asking the server ----------------------------------------------------------------------

const address = (path) => new URL(path, document.baseURI).href;
const campaignPath = (dagId, runId) => `${API}/${encodeURIComponent(dagId)}/${encodeURIComponent(runId)}`;
const pagePath = (dagId, runId) => `${PAGE}/${encodeURIComponent(dagId)}/${encodeURIComponent(runId)}`;

function query(path, values) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== "" && one !== undefined && one !== null) search.append(name, one);
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

async function explained(answer) {
  if (answer.status === 401) return "You are signed out. Sign in to Airflow, and open this page again.";
  if (answer.status === 403) return "Airflow does not let you see or do this.";
  try {
    const { detail } = await answer.json();
    return typeof detail === "string" ? detail : JSON.stringify(detail);
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

async function send(path, body) {
  const answer = await fetch(address(path), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  if (!answer.ok) throw new Error(await explained(answer));
  return answer.json();
}

// React waits a third of a second before it shows what it had to load: a campaign that the address
// names is asked for meanwhile.
const early = new Map();
{
  const [, dagId, runId] = /(?:plugin\/campaigns|dags)\/([^/]+)\/(?:runs\/)?([^/]+)/.exec(location.pathname) ?? [];
  if (runId && /plugin\/campaign/.test(location.pathname)) {
    const path = campaignPath(decodeURIComponent(dagId), decodeURIComponent(runId));
    early.set(path, fetch(address(path), { cache: "no-store" }).catch(() => null));
  }
}

async function asked(path, options) {
  const before = await early.get(path);
  early.delete(path);
  return before ?? fetch(address(path), options);
}

// What a path answers, asked again every `every(data)` ms while somebody looks; with an ETag, so
// that nothing is sent, or drawn, while nothing changes.
function useAnswer(path, every) {
  const [answer, setAnswer] = useState({ data: null, error: "", path: null });
  const wish = useRef(every);
  wish.current = every;
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!path) {
      setAnswer({ data: null, error: "", path: null });
      return undefined;
    }
    const controller = new AbortController();
    let timer, etag = null, data = null, failures = 0, busy = false;
    const plan = () => {
      clearTimeout(timer);
      const wait = failures ? Math.min(30000, 2000 * 2 ** failures) : wish.current?.(data);
      if (wait && !document.hidden && !controller.signal.aborted) timer = setTimeout(load, wait);
    };
    async function load() {
      if (busy) return;
      busy = true;
      try {
        const answer = await asked(path, {
          cache: "no-store", signal: controller.signal, headers: etag ? { "If-None-Match": etag } : {},
        });
        failures = 0;
        if (answer.ok) {
          data = await answer.json();
          etag = answer.headers.get("ETag");
          setAnswer({ data, error: "", path });
        } else if (answer.status !== 304) {
          failures = answer.status >= 500 ? 1 : 0;
          const error = await explained(answer);
          setAnswer((before) => ({ data: before.path === path ? before.data : null, error, path }));
        }
      } catch (error) {
        if (controller.signal.aborted) return;
        failures += 1;
        const text = "Airflow does not answer. Trying again.";
        setAnswer((before) => ({ ...before, error: text, path }));
      } finally {
        busy = false;
      }
      plan();
    }
    const look = () => (document.hidden ? clearTimeout(timer) : wish.current?.(data) ? load() : undefined);
    document.addEventListener("visibilitychange", look);
    load();
    return () => {
      controller.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [path, turn]);
  const again = useCallback(() => setTurn((value) => value + 1), []);
  return { ...answer, isOld: answer.path !== path, again };
}

const live = (overview) => (overview && !overview.is_over ? 1000 : 15000);

// A value of the address, so that what one sees can be shared.
function useAddress() {
  const [search, setSearch] = Router.useSearchParams();
  const change = useCallback(
    (values, { keep = false } = {}) =>
      setSearch((before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(values)) {
          if (value === "" || value === null || value === undefined) next.delete(name);
          else next.set(name, value);
        }
        return next;
      }, { replace: !keep, preventScrollReset: true }),
    [setSearch],
  );
  return [search, change];
}

// ---- small parts ----------------------------------------------------------------------------

const Muted = (props) => h(C.Text, { color: "fg.muted", fontSize: "sm", ...props });

function Notice({ kind = "info", children }) {
  if (!children) return null;
  return h(C.Alert.Root, { status: kind, role: kind === "error" ? "alert" : "status", alignItems: "start" },
    h(C.Alert.Indicator), h(C.Alert.Content, { whiteSpace: "pre-wrap", overflowWrap: "anywhere", color: "fg" }, children));
}

function StateDot({ state }) {
  return h(C.Box, { as: "span", "aria-hidden": true, display: "inline-block", w: "0.7em", h: "0.7em", borderRadius: "sm", me: 2, flexShrink: 0, bg: STATES[state]?.[1] ?? "gray.solid" });
}

const State = ({ state }) => h(C.Box, { as: "span", whiteSpace: "nowrap" }, h(StateDot, { state }), STATES[state]?.[0] ?? state);

function DagRunState({ state }) {
  const colour = DAG_RUN_COLOURS[state] ?? "gray";
  return h(C.Badge, { variant: "outline", color: "fg", borderWidth: 1 },
    h(C.Box, { as: "span", "aria-hidden": true, w: "0.7em", h: "0.7em", borderRadius: "full", bg: `${colour}.solid` }), state);
}

function Counts({ counts, total }) {
  const text = Object.keys(STATES).filter((s) => counts[s]).map((s) => `${counts[s]} ${STATES[s][0]}`).join(", ");
  return h(C.Flex, { role: "img", "aria-label": `${plural(total, "run")}: ${text || "none yet"}`, h: 3, w: "full", minW: 20, borderRadius: "sm", overflow: "hidden", bg: "bg.emphasized" },
    Object.keys(STATES).filter((state) => counts[state]).map((state) =>
      h(C.Box, { key: state, title: `${counts[state]} ${STATES[state][0]}`, bg: STATES[state][1], flexGrow: counts[state], flexBasis: 0, minW: "2px" })));
}

function Select({ label, value, onChange, options, hideLabel = false, ...rest }) {
  const id = React.useId();
  return h(C.Box, { minW: 0, ...rest },
    h("label", { htmlFor: id, style: hideLabel ? C.visuallyHiddenStyle : { fontSize: "0.8rem" } }, label),
    h(C.NativeSelect.Root, { size: "sm" },
      h(C.NativeSelect.Field, { id, value, onChange: (event) => onChange(event.target.value) },
        options.map(([option, text]) => h("option", { key: option, value: option }, text))),
      h(C.NativeSelect.Indicator)));
}

// A part that scrolls sideways on a small screen, reachable by keyboard.
const Scroll = ({ label, children, ...rest }) =>
  h(C.Box, { overflowX: "auto", tabIndex: 0, role: "region", "aria-label": label, w: "full", ...rest }, children);

const Cell = (props) => h(C.Table.Cell, { py: 1.5, px: 2, borderColor: "border", ...props });
const HeadCell = (props) => h(C.Table.ColumnHeader, { scope: "col", py: 1.5, px: 2, whiteSpace: "nowrap", color: "fg", borderColor: "border", ...props });
const AppLink = ({ to, children, ...rest }) => h(C.Link, { asChild: true, color: "fg.info", textDecoration: "underline", textUnderlineOffset: "0.2em", ...rest }, h(Router.Link, { to }, children));
const FileLink = ({ path, children, ...rest }) => h(C.Link, { href: address(path), download: true, color: "fg.info", textDecoration: "underline", textUnderlineOffset: "0.2em", ...rest }, children);
const Small = (props) => h(C.Button, { size: "sm", variant: "outline", ...props });

function Pager({ offset, limit, total, onChange, noun }) {
  if (total <= limit && offset === 0) return null;
  return h(C.HStack, { as: "nav", "aria-label": `Pages of ${noun}`, gap: 3, flexWrap: "wrap" },
    h(Small, { disabled: offset === 0, onClick: () => onChange(Math.max(0, offset - limit)) }, "Previous"),
    h(Muted, { "aria-live": "polite" }, `${Math.min(offset + 1, total)}–${Math.min(offset + limit, total)} of ${total.toLocaleString("en")}`),
    h(Small, { disabled: offset + limit >= total, onClick: () => onChange(offset + limit) }, "Next"));
}

// ---- the list of campaigns ------------------------------------------------------------------

function CampaignRow({ campaign }) {
  const { data } = useAnswer(`${campaignPath(campaign.dag_id, campaign.run_id)}/summary`,
    (summary) => (summary && !summary.is_over ? 3000 : 0));
  const one = data ?? campaign;
  const counts = one.counts;
  const total = one.total ?? 0;
  const good = counts ? sum(counts, GOOD) - (counts.reused ?? 0) : null;
  const shown = (value) => (counts && total ? value : counts ? "–" : "…");
  return h(C.Table.Row, null,
    Cell({ children: h(AppLink, { to: pagePath(one.dag_id, one.run_id) }, one.model || one.run_id) }),
    Cell({ children: one.config || "–" }),
    Cell({ children: h(C.HStack, { gap: 1 }, h(DagRunState, { state: one.state }), one.plan_only ? h(C.Badge, { variant: "outline", color: "fg" }, "plan") : null) }),
    Cell({ minW: 24, children: counts && total ? h(Counts, { counts, total }) : null }),
    Cell({ textAlign: "end", children: shown(good) }),
    Cell({ textAlign: "end", children: shown(counts && sum(counts, BAD)) }),
    Cell({ textAlign: "end", display: { base: "none", md: "table-cell" }, children: shown(counts?.reused ?? 0) }),
    Cell({ textAlign: "end", display: { base: "none", md: "table-cell" }, children: shown(counts && sum(counts, ["running", "waiting"])) }),
    Cell({ whiteSpace: "nowrap", display: { base: "none", md: "table-cell" }, children: moment(one.started ?? one.queued) }),
    Cell({ textAlign: "end", whiteSpace: "nowrap", display: { base: "none", lg: "table-cell" }, children: duration(seconds(one.started, one.ended)) }),
    Cell({ textAlign: "end", whiteSpace: "nowrap", display: { base: "none", lg: "table-cell" }, children: duration(one.cpu_time) }));
}

function CampaignList() {
  const [search, change] = useAddress();
  const offset = Number(search.get("offset")) || 0;
  const plans = search.get("plans") === "1";
  const { data, error } = useAnswer(query(API, { offset, limit: 25, plans: plans ? "true" : "" }), () => 5000);
  const mayAct = data?.dags.some((dag) => dag.may_act);
  const only = { base: "none", md: "table-cell" }, wide = { base: "none", lg: "table-cell" };
  return h(C.Stack, { gap: 4, p: { base: 2, md: 4 } },
    h(C.Flex, { justify: "space-between", align: "center", gap: 3, wrap: "wrap" },
      h(C.Heading, { as: "h1", size: "xl" }, "Campaigns"),
      h(C.HStack, { gap: 3, wrap: "wrap" },
        h("label", { style: { fontSize: "0.9rem", display: "flex", gap: "0.4rem", alignItems: "center" } },
          h("input", { type: "checkbox", checked: plans, onChange: (event) => change({ plans: event.target.checked ? "1" : "", offset: "" }) }), "previews as well"),
        mayAct ? h(C.Button, { asChild: true, size: "sm", colorPalette: "brand" }, h(Router.Link, { to: `${PAGE}/new` }, "New campaign")) : null)),
    h(Notice, { kind: "error" }, error),
    h(Notice, { kind: "warning" }, data?.trouble),
    !data && !error ? h(C.Spinner, { "aria-label": "Loading" }) : null,
    data && !data.campaigns.length ? h(Muted, null, "No campaign yet.") : null,
    data?.campaigns.length ? h(Scroll, { label: "Campaigns" },
      h(C.Table.Root, { size: "sm", interactive: true },
        h(C.Table.Header, null, h(C.Table.Row, null,
          h(HeadCell, null, "Model"), h(HeadCell, null, "Configuration"), h(HeadCell, null, "State"), h(HeadCell, null, "Runs"),
          h(HeadCell, { textAlign: "end" }, "Good"), h(HeadCell, { textAlign: "end" }, "Not good"),
          h(HeadCell, { textAlign: "end", display: only }, "Reused"), h(HeadCell, { textAlign: "end", display: only }, "Left"),
          h(HeadCell, { display: only }, "Started"), h(HeadCell, { textAlign: "end", display: wide }, "Duration"), h(HeadCell, { textAlign: "end", display: wide }, "CPU time"))),
        h(C.Table.Body, null, data.campaigns.map((one) => h(CampaignRow, { key: `${one.dag_id}/${one.run_id}`, campaign: one }))))) : null,
    data ? h(Pager, { offset, limit: 25, total: data.total, noun: "campaigns", onChange: (value) => change({ offset: value || "" }, { keep: true }) }) : null);
}

// ---- one campaign: its head -----------------------------------------------------------------

function Actions({ overview, dagId, runId, again }) {
  const navigate = Router.useNavigate();
  const [asking, setAsking] = useState(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const path = campaignPath(dagId, runId);
  const left = overview.total - sum(overview.counts ?? {}, GOOD);
  const choices = {
    missing: ["Run only what is missing", `Start a campaign that executes the ${plural(left, "run")} without a good result, and reuses the rest.`,
      async () => { const { run_id } = await send(`${path}/again`, { only_missing: true }); navigate(pagePath(dagId, run_id)); }],
    cancel: ["Cancel the campaign", "Its simulations are stopped within seconds. What was simulated so far is kept for reuse.",
      async () => { await send(`${path}/cancel`); again(); }],
  };
  const act = async () => {
    setBusy(true);
    setError("");
    try {
      await choices[asking][2]();
      setAsking(null);
    } catch (problem) {
      setError(problem.message);
    } finally {
      setBusy(false);
    }
  };
  if (!overview.may_act) return null;
  return h(React.Fragment, null,
    h(C.HStack, { gap: 2, wrap: "wrap" },
      !overview.is_over ? h(Small, { onClick: () => setAsking("cancel") }, "Cancel…") : null,
      overview.is_over && left > 0 && !overview.plan_only ? h(Small, { onClick: () => setAsking("missing") }, "Run only what is missing…") : null,
      h(Small, { asChild: true }, h(Router.Link, { to: query(`${PAGE}/new`, { dag: dagId, from: runId }) }, "Trigger again…"))),
    h(C.Dialog.Root, { open: asking !== null, onOpenChange: (event) => !event.open && setAsking(null), role: "alertdialog" },
      h(C.Portal, null, h(C.Dialog.Backdrop), h(C.Dialog.Positioner, null,
        asking ? h(C.Dialog.Content, null,
          h(C.Dialog.Header, null, h(C.Dialog.Title, null, `${choices[asking][0]}?`)),
          h(C.Dialog.Body, null, h(C.Text, null, choices[asking][1]), h(Notice, { kind: "error" }, error)),
          h(C.Dialog.Footer, null,
            h(Small, { onClick: () => setAsking(null) }, "Back"),
            h(C.Button, { size: "sm", colorPalette: asking === "cancel" ? "red" : "brand", loading: busy, onClick: act }, choices[asking][0]))) : null))));
}

function Phases({ tasks }) {
  const symbol = { success: "✓", failed: "✗", running: "…", skipped: "–", upstream_failed: "✗" };
  return h(C.Flex, { as: "ol", gap: 4, wrap: "wrap", listStyleType: "none", fontSize: "sm", "aria-label": "Tasks of the campaign" },
    PHASES.map(([task, name]) => {
      const states = tasks[task] ?? {};
      const worst = ["failed", "upstream_failed", "running", "success", "skipped"].find((state) => states[state]);
      return h("li", { key: task }, `${symbol[worst] ?? "·"} ${name}`, h(C.Box, { as: "span", css: C.visuallyHiddenStyle }, `: ${worst ?? "waiting"}`));
    }));
}

function Head({ overview, dagId, runId, again, inTab }) {
  const counts = overview.counts ?? {};
  const ended = sum(counts, [...GOOD, ...BAD]);
  const [, change] = useAddress();
  const title = [overview.model, overview.config].filter(Boolean).join(" · ") || runId;
  const eta = overview.estimated_end && !overview.is_over ? ` · ends about ${moment(overview.estimated_end)}` : "";
  const path = campaignPath(dagId, runId);
  return h(C.Stack, { gap: 3 },
    h(C.Flex, { justify: "space-between", gap: 3, wrap: "wrap" },
      h(C.Stack, { gap: 1, minW: 0 },
        h(C.HStack, { gap: 3, wrap: "wrap" }, h(C.Heading, { as: inTab ? "h2" : "h1", size: "xl", overflowWrap: "anywhere" }, title), h(DagRunState, { state: overview.state })),
        h(Muted, { overflowWrap: "anywhere" }, [overview.run_filter && `runs ${overview.run_filter}`, `started ${moment(overview.started ?? overview.queued)}`,
          overview.user && `by ${overview.user}`, duration(seconds(overview.started, overview.ended)), overview.cpu_time && `${duration(overview.cpu_time)} of CPU time`].filter(Boolean).join(" · "))),
      h(C.Stack, { gap: 2, align: { base: "start", md: "end" } },
        h(Actions, { overview, dagId, runId, again }),
        h(C.HStack, { gap: 3, fontSize: "sm", wrap: "wrap" },
          inTab ? h(AppLink, { to: pagePath(dagId, runId) }, "Full width") : h(AppLink, { to: PAGE }, "All campaigns"),
          inTab ? null : h(AppLink, { to: `/dags/${dagId}/runs/${runId}` }, "Airflow's tasks"),
          overview.collected ? h(FileLink, { path: `${path}/archive` }, "Download all") : null,
          overview.collected ? h(FileLink, { path: `${path}/files/report.html` }, "Report") : null))),
    overview.total ? h(C.Stack, { gap: 1 },
      h(Counts, { counts, total: overview.total }),
      h(C.Flex, { gap: 3, wrap: "wrap", fontSize: "sm", align: "center" },
        h(C.Text, { "aria-live": "polite", "data-testid": "progress" }, overview.plan_only
          ? `A plan of ${plural(overview.total, "run")}; nothing was simulated.`
          : `${ended.toLocaleString("en")} of ${plural(overview.total, "run")} ended (${Math.floor((100 * ended) / overview.total)} %)${eta}`),
        Object.keys(STATES).filter((state) => counts[state]).map((state) =>
          h(C.Button, { key: state, variant: "plain", size: "xs", px: 1, color: "fg", onClick: () => change({ filter: `state=${state}`, offset: "", tab: "" }, { keep: true }), title: `Show the ${STATES[state][0]} runs` },
            h(StateDot, { state }), `${counts[state].toLocaleString("en")} ${STATES[state][0]}`)))) : null,
    overview.is_over && overview.collected && !overview.trouble ? null : h(Phases, { tasks: overview.tasks }),
    h(Notice, { kind: "warning" }, overview.trouble),
    overview.warnings.length || overview.unsteady.length ? h(C.Box, { as: "details", fontSize: "sm" },
      h("summary", null, plural(overview.warnings.length + overview.unsteady.length, "warning")),
      h(C.Box, { as: "ul", ps: 5, pt: 1 }, [...overview.warnings, ...overview.unsteady.map((line) => `Not reusable: ${line}`)].map((text, i) => h("li", { key: i }, text)))) : null);
}

function Failures({ path, version, onRun, onFilter }) {
  const { data } = useAnswer(`${path}/failures?v=${version}`);
  if (!data?.groups.length) return null;
  return h(C.Box, { as: "section", borderWidth: 1, borderRadius: "md", p: 3, "aria-label": "Failures" },
    h(C.Heading, { as: "h2", size: "md", mb: 2 }, "Not good"),
    h(C.Stack, { as: "ul", gap: 2, listStyleType: "none" }, data.groups.slice(0, 10).map((group, i) =>
      h(C.Flex, { as: "li", key: i, gap: 3, align: "baseline", wrap: "wrap", fontSize: "sm" },
        h(C.Button, { size: "xs", variant: "outline", onClick: () => onFilter(`state=${group.state}`) }, h(StateDot, { state: group.state }), `${group.count} ${STATES[group.state][0]}`),
        h(C.Box, { flex: "1 1 16rem", minW: 0, overflowWrap: "anywhere" }, group.message || "No reason is recorded (yet)."),
        h(C.HStack, { gap: 1, wrap: "wrap" }, group.runs.slice(0, 5).map((run) =>
          h(C.Button, { key: run, size: "xs", variant: "plain", color: "fg.info", textDecoration: "underline", px: 1, onClick: () => onRun(run) }, `#${run}`)))))));
}

// ---- the matrix -----------------------------------------------------------------------------

function MatrixCell({ cell, letters, mode, longest, label, focusable, onFocus, onChoose }) {
  const [, , states, mean] = cell;
  const counts = {};
  for (const letter of states) counts[letters[letter]] = (counts[letters[letter]] ?? 0) + 1;
  const told = Object.keys(STATES).filter((s) => counts[s]).map((s) => `${counts[s]} ${STATES[s][0]}`).join(", ");
  const good = sum(counts, GOOD);
  const share = longest > 0 && mean !== null ? mean / longest : 0;
  // Up to 20 repetitions, each has a stripe; more of them share one by state.
  const stripes = states.length <= 20 ? [...states].map((l) => [letters[l], 1]) : Object.keys(STATES).filter((s) => counts[s]).map((s) => [s, counts[s]]);
  return h("button", {
    type: "button", tabIndex: focusable ? 0 : -1, onFocus, onClick: onChoose, className: "oppflow-cell",
    "aria-label": `${label}: ${plural(states.length, "run")}, ${told}${mean === null ? "" : `, mean ${duration(mean)}`}`, title: `${label}\n${told}${mean === null ? "" : `\nmean ${duration(mean)}`}`,
  },
  h("span", { className: "oppflow-cell-text" }, mode === "duration" ? (mean === null ? "–" : duration(mean)) : `${good}/${states.length}`),
  mode === "duration"
    ? h("span", { className: "oppflow-bar" }, mean === null ? null : h("span", { style: { width: `${100 * share}%`, background: `color-mix(in srgb, ${token("purple.solid")} ${100 * share}%, ${token("cyan.solid")})` } }))
    : h("span", { className: "oppflow-bar" }, stripes.map(([state, weight], i) => h("span", { key: i, style: { flexGrow: weight, background: token(STATES[state][1]) } }))));
}

const MATRIX_CSS = {
  "& table": { borderCollapse: "separate", borderSpacing: "2px" },
  "& th": { fontWeight: "medium", fontSize: "sm", px: 1, whiteSpace: "nowrap", position: "sticky", background: "bg", zIndex: 1 },
  "& thead th": { top: 0 },
  "& tbody th": { left: 0 },
  "& .oppflow-cell": { width: "100%", minWidth: "3.6rem", height: "2.4rem", display: "flex", flexDirection: "column", justifyContent: "space-between", borderRadius: "4px", border: "1px solid", borderColor: "border", background: "bg", overflow: "hidden", cursor: "pointer" },
  "& .oppflow-cell:hover": { background: "bg.muted" },
  "& .oppflow-cell:focus-visible": { outline: "2px solid", outlineColor: "fg", outlineOffset: "1px" },
  "& .oppflow-cell-text": { fontSize: "xs", px: 1, pt: "2px", textAlign: "center", width: "100%", whiteSpace: "nowrap" },
  "& .oppflow-bar": { display: "flex", gap: "1px", height: "0.8rem", width: "100%" },
  "& .oppflow-bar > span": { minWidth: "1px" },
};

function Matrix({ path, overview, filter, onFilter }) {
  const [search, change] = useAddress();
  const axes = [...overview.variables.filter((v) => v.values > 1), { column: "repetition", name: "repetition", values: 2 }];
  const names = ["", ...axes.map((v) => v.column)];
  const picked = (name, otherwise) => (search.has(name) && (search.get(name) === "none" || names.includes(search.get(name))) ? search.get(name).replace("none", "") : otherwise);
  const x = picked("x", axes[0].column);
  const y = picked("y", axes.slice(1, -1).find((axis) => axis.column !== x)?.column ?? "");
  const mode = search.get("colour") === "duration" ? "duration" : "outcome";
  const { data } = useAnswer(query(`${path}/matrix`, { x, y, filter, v: overview.version }));
  const [at, setAt] = useState([0, 0]);
  const grid = useRef(null);
  const cells = useMemo(() => new Map((data?.cells ?? []).map((cell) => [`${cell[0]} ${cell[1]}`, cell])), [data]);
  const longest = useMemo(() => Math.max(0, ...(data?.cells ?? []).map((cell) => cell[3] ?? 0)), [data]);
  const options = [["none", "(none)"], ...axes.map((v) => [v.column, v.name])];
  const bare = (name) => (name ?? "").replace(/^\$/, "");
  const words = (i, j) => [[data.x, data.x_values[i]], [data.y, data.y_values[j]]].filter(([name]) => name);
  const move = (event) => {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (!step || !data) return;
    event.preventDefault();
    const next = [at[0] + step[0], at[1] + step[1]];
    const button = grid.current?.querySelector(`[data-at="${next.join(" ")}"] button`);
    if (button) { setAt(next); button.focus(); }
  };
  const first = data?.cells[0];
  const current = cells.has(at.join(" ")) ? at.join(" ") : first && `${first[0]} ${first[1]}`;
  return h(C.Box, { as: "section", "aria-label": "Matrix of runs" },
    h(C.Flex, { gap: 3, wrap: "wrap", align: "end", mb: 2 },
      h(C.Heading, { as: "h2", size: "md", me: 2 }, "Matrix"),
      h(Select, { label: "Columns", value: x || "none", options, onChange: (value) => change({ x: value }) }),
      h(Select, { label: "Rows", value: y || "none", options, onChange: (value) => change({ y: value }) }),
      h(Select, { label: "Colour", value: mode, options: [["outcome", "outcome"], ["duration", "duration"]], onChange: (value) => change({ colour: value === "outcome" ? "" : value }) })),
    data ? h(Scroll, { label: "Matrix", css: MATRIX_CSS, onKeyDown: move, maxH: "60vh", overflowY: "auto" },
      h("table", { ref: grid },
        h("caption", { style: C.visuallyHiddenStyle }, `Runs over ${bare(data.x) || "nothing"} and ${bare(data.y) || "nothing"}; a cell shows good runs of all, or their mean duration`),
        h("thead", null, h("tr", null,
          h("td", { style: { fontSize: "0.8rem", whiteSpace: "nowrap" } }, [bare(data.y), bare(data.x)].filter(Boolean).join(" \\ ")),
          data.x_values.map((value, i) => h("th", { key: i, scope: "col" }, number(value))))),
        h("tbody", null, data.y_values.map((yValue, j) => h("tr", { key: j },
          h("th", { scope: "row", style: { textAlign: "end" } }, number(yValue).replace("–", "")),
          data.x_values.map((_, i) => {
            const cell = cells.get(`${i} ${j}`);
            return h("td", { key: i, "data-at": `${i} ${j}` }, cell ? h(MatrixCell, {
              cell, letters: data.letters, mode, longest,
              label: words(i, j).map(([name, value]) => `${bare(name)}=${number(value)}`).join(" ") || "all runs",
              focusable: current === `${i} ${j}`, onFocus: () => setAt([i, j]),
              onChoose: () => onFilter(words(i, j).map(([name, value]) => `${bare(name)}=${quoted(value)}`).join(" ")),
            }) : null);
          })))))) : null,
    data && (data.x_total > data.x_values.length || data.y_total > data.y_values.length)
      ? h(Muted, null, `The first ${data.x_values.length} of ${data.x_total} columns and ${data.y_values.length} of ${data.y_total} rows; a filter below chooses others.`) : null);
}

// ---- the table of runs ----------------------------------------------------------------------

function columnsOf(overview) {
  const variables = overview.variables.map((v) => [v.column, v.name, (row) => number(row[v.column]), v.number]);
  const plan = overview.plan_only;
  return [
    ["run", "Run", null, true], ...variables,
    ["repetition", "Rep.", (row) => row.repetition, true],
    ["state", "Outcome", (row) => (plan && row.state === "waiting" ? h(C.Box, { as: "span" }, "to execute") : h(State, { state: row.state })), false],
    ...(plan ? [["reason", "Why", (row) => row.reason, false], ["expected", "Expected", (row) => duration(row.expected), true]] : [
      ["wall_time", "Duration", (row) => (row.state === "running" && row.percentage !== null ? `${number(row.percentage, 3)} %` : duration(row.wall_time)), true],
      ["cpu_time", "CPU time", (row) => duration(row.cpu_time), true],
      ["attempts", "Attempts", (row) => number(row.attempts), true],
      ["message", "Message", (row) => row.message || row.reason, false],
    ]),
  ];
}

function RunsTable({ path, overview, filter, onRun, onFilter }) {
  const [search, change] = useAddress();
  const sort = search.get("sort") ?? "";
  const offset = Number(search.get("offset")) || 0;
  const [typed, setTyped] = useState(filter);
  useEffect(() => setTyped(filter), [filter]);
  useEffect(() => {
    if (typed === filter) return undefined;
    const timer = setTimeout(() => onFilter(typed), 400);
    return () => clearTimeout(timer);
  }, [typed]);
  const { data, error, isOld } = useAnswer(query(`${path}/runs`, { filter, sort, offset, limit: ROWS, v: overview.version }));
  const columns = columnsOf(overview);
  const id = React.useId();
  const next = (column) => (sort === column ? `-${column}` : sort === `-${column}` ? "" : column);
  return h(C.Box, { as: "section", "aria-label": "Runs", id: "oppflow-runs" },
    h(C.Flex, { gap: 3, wrap: "wrap", align: "end", mb: 2 },
      h(C.Heading, { as: "h2", size: "md" }, "Runs"),
      h(C.Box, { flex: "1 1 14rem", minW: 0 },
        h("label", { htmlFor: id, style: { fontSize: "0.8rem" } }, "Filter"),
        h(C.Input, { id, size: "sm", value: typed, placeholder: "load>0.5 state!=done", onChange: (event) => setTyped(event.target.value), title: "Words that must all hold: name=value, name>value, name~part, or any text; a minus turns a word around" })),
      filter ? h(Small, { onClick: () => { setTyped(""); onFilter(""); } }, "Clear filter") : null,
      h(C.HStack, { gap: 3, fontSize: "sm", wrap: "wrap" },
        h(FileLink, { path: query(`${path}/runs.csv`, { filter }) }, "CSV"), h(FileLink, { path: query(`${path}/runs.parquet`, { filter }) }, "Parquet"),
        filter && !overview.plan_only ? h(FileLink, { path: query(`${path}/archive`, { filter }) }, "Results of these runs") : null)),
    h(Notice, { kind: "error" }, error),
    data ? h(Scroll, { label: "Table of runs", opacity: isOld ? 0.6 : 1 },
      h(C.Table.Root, { size: "sm", interactive: true },
        h(C.Table.Header, null, h(C.Table.Row, null, columns.map(([name, text, , right]) =>
          h(HeadCell, { key: name, textAlign: right ? "end" : "start", "aria-sort": sort === name ? "ascending" : sort === `-${name}` ? "descending" : "none" },
            h(C.Button, { variant: "plain", size: "xs", px: 0, h: "auto", color: "fg", fontWeight: "semibold", onClick: () => change({ sort: next(name), offset: "" }) }, text, sort === name ? " ▲" : sort === `-${name}` ? " ▼" : ""))))),
        h(C.Table.Body, null, data.rows.map((row) => h(C.Table.Row, { key: row.run, cursor: onRun ? "pointer" : undefined, onClick: onRun && (() => onRun(row.run)) },
          columns.map(([name, , show, right]) => Cell({ key: name, textAlign: right ? "end" : "start", maxW: name === "message" || name === "reason" ? "24rem" : undefined, minW: name === "message" ? "12rem" : undefined, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap",
            children: name === "run" && onRun
              ? h(C.Button, { variant: "plain", size: "xs", px: 0, h: "auto", color: "fg.info", textDecoration: "underline", "aria-label": `Details of run ${row.run}`, onClick: (event) => { event.stopPropagation(); onRun(row.run); } }, `#${row.run}`)
              : show ? show(row) : `#${row.run}` }))))))) : h(C.Spinner, { "aria-label": "Loading the runs" }),
    data ? h(C.Flex, { mt: 2, gap: 4, align: "center", wrap: "wrap" },
      h(Pager, { offset, limit: ROWS, total: data.matching, noun: "runs", onChange: (value) => change({ offset: value || "" }) }),
      h(Muted, { "aria-live": "polite", "data-testid": "matching" }, data.matching === data.total ? plural(data.total, "run") : `${data.matching.toLocaleString("en")} of ${plural(data.total, "run")}`)) : null);
}

// ---- one run --------------------------------------------------------------------------------

function Fact({ name, children }) {
  return h(C.Flex, { gap: 2, fontSize: "sm" }, h(C.Box, { as: "dt", color: "fg.muted", minW: "8rem" }, name), h(C.Box, { as: "dd", minW: 0, overflowWrap: "anywhere" }, children));
}

const Output = ({ label, children, ...rest }) =>
  h(C.Box, { as: "pre", tabIndex: 0, role: "region", "aria-label": label, fontSize: "xs", p: 2, borderRadius: "md", bg: "bg.muted", color: "fg", maxH: "16rem", overflow: "auto", ...rest }, children);

function Copied({ text }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text).catch(() => undefined);
    setDone(true);
    setTimeout(() => setDone(false), 2000);
  };
  return h(Small, { size: "xs", onClick: copy }, done ? "Copied" : "Copy");
}

function Run({ path, runNumber, overview, onClose }) {
  const base = `${path}/runs/${runNumber}`;
  const { data, error } = useAnswer(overview.total ? base : null, () => (overview.is_over ? 0 : 1000));
  const title = data ? `Run #${runNumber} ${Object.entries(data.variables).map(([name, value]) => `${name}=${number(value)}`).join(" ")}` : `Run #${runNumber}`;
  const files = data?.files ?? [];
  return h(C.Drawer.Root, { open: true, placement: "end", size: { base: "full", md: "lg" }, onOpenChange: (event) => !event.open && onClose() },
    h(C.Portal, null, h(C.Drawer.Backdrop), h(C.Drawer.Positioner, null, h(C.Drawer.Content, null,
      h(C.Drawer.Header, null, h(C.Drawer.Title, { overflowWrap: "anywhere", pe: 8 }, title)),
      h(C.Drawer.Body, null, h(Notice, { kind: "error" }, error), overview.total ? null : h(Muted, null, "The runs are not known yet."), data ? h(C.Stack, { gap: 4 },
        h(C.Stack, { as: "dl", gap: 1 },
          h(Fact, { name: "Outcome" }, h(State, { state: data.state })),
          data.message ? h(Fact, { name: "Message" }, data.message) : null,
          data.state === "running" ? h(Fact, { name: "Progress" }, `${data.percentage === null ? "" : `${number(data.percentage, 3)} %, `}${data.events_per_second ? `${number(data.events_per_second, 3)} events/s` : ""}`) : null,
          h(Fact, { name: "Repetition" }, `${data.repetition}, seed set ${data.seed_set}`),
          h(Fact, { name: "Why" }, data.reason),
          h(Fact, { name: "Attempts" }, number(data.attempts)),
          h(Fact, { name: "Duration" }, `${duration(data.wall_time)}, ${duration(data.cpu_time)} of CPU time`),
          h(Fact, { name: "Simulated time" }, data.simulated_time ? `${data.simulated_time} s${data.events ? `, ${plural(data.events, "event")}` : ""}` : "–"),
          h(Fact, { name: "Started" }, moment(data.started))),
        h(C.HStack, { gap: 4, fontSize: "sm", wrap: "wrap" },
          data.task_log ? h(AppLink, { to: `/${data.task_log}` }, "Task log in Airflow") : null,
          data.archive ? h(FileLink, { path: `${base}/archive` }, `Archive (${bytes(data.archive_bytes)})`) : null),
        data.lines.length ? h(C.Box, null, h(C.Heading, { as: "h3", size: "sm", mb: 1 }, "Last lines"), h(Output, { label: "Last lines" }, data.lines.join("\n"))) : null,
        data.reproduce ? h(C.Box, null, h(C.HStack, { mb: 1 }, h(C.Heading, { as: "h3", size: "sm" }, "To see it again"), h(Copied, { text: data.reproduce })), h(Output, { label: "Command", whiteSpace: "pre-wrap", overflowWrap: "anywhere" }, data.reproduce)) : null,
        files.length ? h(C.Box, null, h(C.Heading, { as: "h3", size: "sm", mb: 1 }, plural(files.length, "file")),
          h(C.Stack, { as: "ul", gap: 1, listStyleType: "none", fontSize: "sm" }, files.map((file) => h(C.Box, { as: "li", key: file.name, overflowWrap: "anywhere" },
            overview.collected ? h(FileLink, { path: `${path}/files/${file.name.split("/").map(encodeURIComponent).join("/")}` }, file.name) : file.name, ` ${bytes(file.size)}`)))) : null,
        files.some((file) => file.name.endsWith(".vec")) && overview.collected ? h(RunVectors, { base }) : null) : null),
      h(C.Drawer.CloseTrigger, { asChild: true }, h(C.CloseButton, { "aria-label": "Close", size: "sm" }))))));
}

// ---- charts ---------------------------------------------------------------------------------

let plotly;
function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address("oppflow/plotly.min.js");
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => { plotly = undefined; reject(new Error("The chart library cannot be loaded.")); };
    document.head.append(script);
  });
  return plotly;
}

function Figure({ figure, label, height = 380 }) {
  const place = useRef(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let gone = false;
    const draw = async () => {
      try {
        const library = await loadPlotly();
        if (gone || !place.current) return;
        const style = getComputedStyle(place.current);
        const axis = { gridcolor: style.borderColor, linecolor: style.borderColor, zerolinecolor: style.borderColor, automargin: true };
        await library.react(place.current, figure.data, {
          ...figure.layout, xaxis: { ...axis, ...figure.layout.xaxis }, yaxis: { ...axis, ...figure.layout.yaxis },
          legend: { orientation: "h", x: 0, yref: "container", y: 0, yanchor: "bottom", ...figure.layout.legend }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
          font: { family: style.fontFamily, size: 13, color: style.color }, margin: { l: 10, r: 10, t: 20, b: 10 }, height,
        }, { responsive: true, displaylogo: false, modeBarButtons: [["toImage"], ["zoom2d", "pan2d", "resetScale2d"]] });
        place.current.dataset.drawn = "true";
      } catch (problem) {
        setError(problem.message);
      }
    };
    draw();
    const watcher = new MutationObserver(draw);
    watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
    return () => { gone = true; watcher.disconnect(); };
  }, [figure]);
  useEffect(() => () => { if (place.current && globalThis.Plotly) globalThis.Plotly.purge(place.current); }, []);
  return h(React.Fragment, null, h(Notice, { kind: "error" }, error),
    h(C.Box, { ref: place, role: "group", "aria-label": label, minH: `${height}px`, borderColor: "border", color: "fg", className: "oppflow-chart" }));
}

function RunVectors({ base }) {
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState("");
  const { data, error } = useAnswer(open ? `${base}/vectors` : null);
  const first = data?.vectors[0]?.vector;
  const vector = chosen || (first === undefined ? "" : String(first));
  const points = useAnswer(open && vector !== "" ? `${base}/vectors/${vector}` : null);
  const figure = useMemo(() => points.data && {
    data: [{ type: "scatter", mode: "lines", x: points.data.time, y: points.data.value, line: { width: 1, shape: "hv" } }],
    layout: { xaxis: { title: { text: "simulated time [s]" } }, yaxis: { title: { text: points.data.unit ? `[${points.data.unit.replace(/[<>&]/g, "")}]` : "" } }, showlegend: false },
  }, [points.data]);
  if (!open) return h(C.Box, null, h(Small, { onClick: () => setOpen(true) }, "Show vectors"));
  return h(C.Stack, { gap: 2 }, h(C.Heading, { as: "h3", size: "sm" }, "Vectors"), h(Notice, { kind: "error" }, error || points.error),
    data ? h(Select, { label: "Vector", value: vector, onChange: setChosen, options: data.vectors.map((v) => [String(v.vector), `${v.module} ${v.name} (${v.rows.toLocaleString("en")} rows)`]) }) : null,
    figure ? h(Figure, { figure, height: 300, label: `${points.data.name} of ${points.data.module} over simulated time` }) : null,
    points.data && points.data.time.length < points.data.rows ? h(Muted, null, `${points.data.time.length.toLocaleString("en")} of ${points.data.rows.toLocaleString("en")} rows: the least and the greatest of each stretch.`) : null);
}

function Charts({ path, overview, filter }) {
  const [search, change] = useAddress();
  const names = useAnswer(`${path}/scalars`);
  const swept = overview.variables.filter((v) => v.values > 1);
  const list = names.data?.scalars ?? [];
  const key = (scalar) => JSON.stringify([scalar.module, scalar.name]);
  const wanted = search.get("scalar");
  const scalar = list.find((one) => key(one) === wanted) ?? list[0];
  const variables = swept.length ? swept : overview.variables;
  const x = variables.find((v) => v.name === search.get("cx"))?.name ?? variables.find((v) => v.number)?.name ?? variables[0]?.name;
  const others = variables.map((v) => v.name).filter((name) => name !== x);
  const series = search.get("series") ?? "all";
  const lines = series === "all" ? others : others.filter((name) => name === series);
  const chart = useAnswer(scalar && x ? query(`${path}/chart`, { module: scalar.module, name: scalar.name, x, series: lines, filter }) : null);
  const data = chart.data;
  if (!names.data) return names.error ? h(Notice, { kind: "info" }, names.error) : h(C.Spinner, { "aria-label": "Loading the scalars" });
  if (!x) return h(Muted, null, "No iteration variable: there is nothing to draw over.");
  return h(C.Stack, { as: "section", "aria-label": "Charts", gap: 3 },
    h(C.Flex, { gap: 3, wrap: "wrap" },
      h(Select, { label: "Scalar", maxW: "100%", value: scalar ? key(scalar) : "", options: list.map((one) => [key(one), `${one.name} of ${one.module}`]), onChange: (value) => change({ scalar: value }) }),
      h(Select, { label: "Along the axis", value: x, options: variables.map((v) => [v.name, v.name]), onChange: (value) => change({ cx: value }) }),
      others.length ? h(Select, { label: "A line for each", value: series, options: [["all", "combination of the others"], ["none", "(one line)"], ...others.map((name) => [name, name])], onChange: (value) => change({ series: value === "all" ? "" : value }) }) : null),
    filter ? h(Muted, null, `Only runs with ${filter}`) : null,
    h(Notice, { kind: "info" }, chart.error),
    data ? h(C.Heading, { as: "h2", size: "md" }, data.title) : null,
    data ? h(Figure, { figure: data.figure, label: `${data.title} over ${x}; the numbers are in the table below` }) : null,
    data ? h(Muted, null, ["Means; the bars are 95 % confidence intervals over repetitions.", ...data.notes].join(" ")) : null,
    data ? h(C.Box, { as: "details" }, h("summary", null, "Numbers"), h(Scroll, { label: "Numbers of the chart" }, h(C.Table.Root, { size: "sm", w: "auto" },
      h(C.Table.Header, null, h(C.Table.Row, null, data.columns.map((name) => h(HeadCell, { key: name, textAlign: "end" }, { half_width: "± (95 %)" }[name] ?? name)))),
      h(C.Table.Body, null, data.rows.slice(0, 500).map((row, i) => h(C.Table.Row, { key: i }, row.map((value, j) => Cell({ key: j, textAlign: "end", children: number(value, 6) })))))))) : null);
}

// ---- one campaign ---------------------------------------------------------------------------

function Parameters({ overview }) {
  const shown = (value) => (value !== null && typeof value === "object" ? JSON.stringify(value) : String(value ?? ""));
  return h(C.Stack, { as: "dl", gap: 1 }, Object.entries(overview.parameters).map(([name, value]) => h(Fact, { key: name, name }, shown(value))),
    h(Fact, { name: "results folder" }, overview.results));
}

function Campaign({ dagId, runId, inTab = false }) {
  const [search, change] = useAddress();
  const path = campaignPath(dagId, runId);
  const { data: overview, error, again } = useAnswer(path, live);
  const filter = search.get("filter") ?? "";
  const tab = search.get("tab") ?? "runs";
  const run = search.get("run");
  const onRun = useCallback((value) => change({ run: value }, { keep: true }), [change]);
  const onFilter = useCallback((value) => {
    change({ filter: value, offset: "" });
  }, [change]);
  if (!overview) {
    return h(C.Stack, { p: 4, gap: 3 }, error ? h(Notice, { kind: "error" }, error) : h(C.Spinner, { "aria-label": "Loading the campaign" }), inTab ? null : h(AppLink, { to: PAGE }, "All campaigns"));
  }
  const body = (name, content) => h(C.Tabs.Content, { value: name, px: 0 }, tab === name ? content() : null);
  return h(C.Stack, { gap: 4, p: { base: 2, md: 4 }, minW: 0 },
    h(Notice, { kind: "error" }, error),
    h(Head, { overview, dagId, runId, again, inTab }),
    !overview.is_campaign && !overview.trouble ? h(Notice, null, overview.is_over
      ? "There is no campaign behind this DAG run: it packed no model. The log of pack_model says why, if the DAG has such a task."
      : "The model is being packed; the runs appear when they are known.") : null,
    sum(overview.counts ?? {}, BAD) ? h(Failures, { path, version: overview.version, onRun, onFilter }) : null,
    overview.total ? h(C.Tabs.Root, { value: tab, onValueChange: (event) => change({ tab: event.value === "runs" ? "" : event.value }), lazyMount: true },
      h(C.Tabs.List, { mb: 3 }, h(C.Tabs.Trigger, { value: "runs" }, "Runs"), overview.plan_only ? null : h(C.Tabs.Trigger, { value: "charts" }, "Charts"), h(C.Tabs.Trigger, { value: "parameters" }, "Parameters")),
      body("runs", () => h(C.Stack, { gap: 5 },
        h(Matrix, { path, overview, filter, onFilter }),
        h(RunsTable, { path, overview, filter, onRun, onFilter }))),
      body("charts", () => h(Charts, { path, overview, filter })),
      body("parameters", () => h(Parameters, { overview }))) : null,
    run !== null && /^\d+$/.test(run) ? h(Run, { key: run, path, runNumber: run, overview, onClose: () => change({ run: "" }) }) : null);
}

// ---- a new campaign -------------------------------------------------------------------------

// Lists are a line each, objects a line each as `key = value`: nobody has to write JSON.
const toText = (value) => (Array.isArray(value) ? value.join("\n") : value && typeof value === "object" ? Object.entries(value).map(([k, v]) => `${k} = ${v}`).join("\n") : value ?? "");
const kinds = (schema) => [schema.type ?? []].flat();

function fromText(text, schema) {
  const lines = String(text).split("\n").map((line) => line.trim()).filter(Boolean);
  if (kinds(schema).includes("array")) return lines;
  if (kinds(schema).includes("object")) return Object.fromEntries(lines.map((line) => { const at = line.indexOf("="); return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()]; }));
  if (kinds(schema).some((kind) => ["integer", "number"].includes(kind))) return text === "" ? null : Number(text);
  return text;
}

function Field({ name, param, value, onChange }) {
  const id = React.useId();
  const schema = param.schema ?? {};
  const title = schema.title ?? name;
  const common = { id, value: toText(value), onChange: (event) => onChange(event.target.value), "aria-describedby": `${id}-help` };
  let input;
  if (typeof value === "boolean") input = h("input", { id, type: "checkbox", checked: value, onChange: (event) => onChange(event.target.checked), "aria-describedby": `${id}-help` });
  else if (schema.enum) input = h(C.NativeSelect.Root, { size: "sm" }, h(C.NativeSelect.Field, common, schema.enum.map((one) => h("option", { key: String(one), value: one ?? "" }, one ?? "(automatic)"))), h(C.NativeSelect.Indicator));
  else if (kinds(schema).some((kind) => ["array", "object"].includes(kind))) input = h(C.Textarea, { ...common, size: "sm", rows: 2 });
  else input = h(C.Input, { ...common, size: "sm", type: kinds(schema).some((kind) => ["integer", "number"].includes(kind)) ? "number" : "text", step: "any" });
  return h(C.Box, null, h("label", { htmlFor: id, style: { fontSize: "0.9rem", fontWeight: 600, marginInlineEnd: "0.5rem" } }, title), input,
    h(Muted, { id: `${id}-help`, fontSize: "xs" }, kinds(schema).includes("object") ? "One a line, as in sim-time-limit = 10s." : param.description ?? ""));
}

async function whyNoPlan(dagId, runId, tasks) {
  const task = ["pack_model", "resolve_runs"].find((name) => tasks[name]?.failed);
  if (!task) return "The plan could not be made.";
  const base = `api/v2/dags/${encodeURIComponent(dagId)}/dagRuns/${encodeURIComponent(runId)}/taskInstances/${task}`;
  try {
    const instance = await (await fetch(address(base))).json();
    const log = await (await fetch(address(`${base}/logs/${instance.try_number}?full_content=true`), { headers: { Accept: "application/json" } })).json();
    const errors = log.content.filter((line) => ["error", "critical"].includes(line.level) && line.event !== "Task exited").map((line) => line.event);
    return errors.length ? errors.join("\n") : `${task} failed: its log says why.`;
  } catch {
    return `${task} failed: its log says why.`;
  }
}

function Preview({ dagId, runId }) {
  const path = campaignPath(dagId, runId);
  const { data, error } = useAnswer(path, (overview) => (overview?.is_over ? 0 : 1000));
  const [why, setWhy] = useState("");
  const failed = data?.is_over && !data.total;
  useEffect(() => {
    let gone = false;
    if (failed) whyNoPlan(dagId, runId, data.tasks).then((text) => !gone && setWhy(text));
    return () => { gone = true; };
  }, [failed, runId]);
  const [search, change] = useAddress();
  const filter = search.get("filter") ?? "";
  const reused = data?.counts?.reused ?? 0;
  return h(C.Stack, { as: "section", "aria-label": "Preview", gap: 3, borderWidth: 1, borderRadius: "md", p: 3, minW: 0 },
    h(C.Heading, { as: "h2", size: "md" }, "Preview"),
    h(Notice, { kind: "error" }, error || (failed ? why || "The plan could not be made." : "")),
    !data || (!data.total && !data.is_over) ? h(C.HStack, null, h(C.Spinner, { size: "sm", "aria-hidden": true }), h(C.Text, { role: "status" }, "Asking which runs there are …")) : null,
    data?.total ? h(C.Stack, { gap: 3 },
      h(C.Text, { "data-testid": "plan" }, `${plural(data.total, "run")}: ${data.total - reused} to execute, ${reused} reused.`),
      data.warnings.map((text, i) => h(Notice, { key: i, kind: "warning" }, text)),
      h(RunsTable, { path, overview: data, filter, onFilter: (value) => change({ filter: value, offset: "" })})) : null);
}

function NewCampaign() {
  const navigate = Router.useNavigate();
  const [search] = useAddress();
  const from = search.get("from");
  const list = useAnswer(query(API, { limit: 1 }));
  const dags = (list.data?.dags ?? []).filter((dag) => dag.may_act).map((dag) => dag.dag_id);
  const [chosen, setChosen] = useState(search.get("dag") ?? "");
  const dagId = chosen || (dags.includes("simulation_campaign") ? "simulation_campaign" : dags[0]) || "";
  const details = useAnswer(dagId ? `api/v2/dags/${encodeURIComponent(dagId)}/details` : null);
  const earlier = useAnswer(from && search.get("dag") ? campaignPath(search.get("dag"), from) : null);
  const [given, setGiven] = useState({});
  const [error, setError] = useState("");
  const [preview, setPreview] = useState(null);
  const [busy, setBusy] = useState("");
  const params = useMemo(() => Object.fromEntries(Object.entries(details.data?.params ?? {}).filter(([name]) => name !== "plan_only")), [details.data]);
  const start = (name) => {
    if (earlier.data && name !== "results" && earlier.data.parameters[name] !== undefined) {
      const value = earlier.data.parameters[name];
      if (name === "memory") return String(value);
      return name === "wall_time_limit" && !value ? null : value;
    }
    return params[name].value;
  };
  const conf = () => {
    const values = {};
    for (const name of Object.keys(params)) {
      const value = name in given && typeof given[name] === "string" ? fromText(given[name], params[name].schema ?? {}) : name in given ? given[name] : start(name);
      const same = JSON.stringify(value ?? null) === JSON.stringify(params[name].value ?? null);
      if (!same) values[name] = value === "" && (params[name].schema?.enum ?? []).includes(null) ? null : value;
    }
    return values;
  };
  const trigger = async (planOnly) => {
    setBusy(planOnly ? "preview" : "start");
    setError("");
    try {
      const { run_id } = await send(`${API}/${encodeURIComponent(dagId)}`, { conf: planOnly ? { ...conf(), plan_only: true } : conf() });
      if (planOnly) setPreview(run_id);
      else navigate(pagePath(dagId, run_id));
    } catch (problem) {
      setError(problem.message);
    } finally {
      setBusy("");
    }
  };
  const field = (name) => h(Field, { key: name, name, param: params[name], value: name in given ? given[name] : start(name), onChange: (value) => { setGiven({ ...given, [name]: value }); setPreview(null); } });
  const plain = Object.keys(params).filter((name) => !params[name].schema?.section), more = Object.keys(params).filter((name) => params[name].schema?.section);
  const ready = details.data && (!from || earlier.data || earlier.error);
  return h(C.Stack, { gap: 4, p: { base: 2, md: 4 } },
    h(C.Flex, { justify: "space-between", wrap: "wrap", gap: 3 }, h(C.Heading, { as: "h1", size: "xl" }, "New campaign"), h(AppLink, { to: PAGE }, "All campaigns")),
    h(Notice, { kind: "error" }, error || list.error || details.error),
    list.data && !dags.length ? h(Notice, null, "You may look at campaigns, but not start any.") : null,
    !list.data && !list.error ? h(C.Spinner, { "aria-label": "Loading" }) : null,
    dags.length && ready ? h(C.Grid, { templateColumns: { base: "minmax(0, 1fr)", lg: "minmax(0, 2fr) minmax(0, 3fr)" }, gap: 5 },
      h("form", { onSubmit: (event) => { event.preventDefault(); trigger(true); } }, h(C.Stack, { gap: 3 },
        dags.length > 1 ? h(Select, { label: "DAG", value: dagId, options: dags.map((one) => [one, one]), onChange: setChosen }) : null,
        plain.map(field),
        more.length ? h(C.Box, { as: "details" }, h("summary", null, "More options"), h(C.Stack, { gap: 3, pt: 3 }, more.map(field))) : null,
        h(C.HStack, { gap: 3 }, h(C.Button, { type: "submit", size: "sm", variant: "outline", loading: busy === "preview" }, "Preview"),
          h(C.Button, { size: "sm", colorPalette: "brand", loading: busy === "start", onClick: () => trigger(false) }, "Start the campaign")))),
      preview ? h(Preview, { key: preview, dagId, runId: preview }) : h(Muted, null, "The preview tells which runs there are, which of them are reused and why, before anything starts.")) : null);
}

// ---- where Airflow puts it ------------------------------------------------------------------

// In the navigation: the list, one campaign (.../DAG/RUN), a new one (.../new).
function Campaigns() {
  const rest = Router.useParams()["*"] ?? "";
  const at = rest.indexOf("/");
  if (rest === "new") return h(NewCampaign);
  if (at > 0) return h(Campaign, { key: rest, dagId: rest.slice(0, at), runId: rest.slice(at + 1) });
  return h(CampaignList);
}

const Page = (Content) => (props) => h(C.Box, { className: "oppflow", h: "full", overflowY: "auto", minW: 0 }, h(Content, props));

// Airflow imports this once for both places, and looks for each by its name.
globalThis.Campaigns = Page(Campaigns);
globalThis.Campaign = Page(({ dagId, runId }) => h(Campaign, { key: `${dagId}/${runId}`, dagId, runId, inTab: true }));
