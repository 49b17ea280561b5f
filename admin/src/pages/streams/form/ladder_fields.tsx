/** The qualities of a stream: a profile, or a ladder of one's own. */
import { Plus, Trash2 } from "lucide-preact";
import { Button } from "../../../ui/buttons";
import { SelectField, TextField } from "../../../ui/fields";
import { RENDITIONS_MAX } from "./bounds";
import type { Faults } from "./check";
import { newRendition, type FormValues, type LadderValues } from "./values";

const PROFILES = [
  { value: "hd", label: "hd: 720p and 480p", hint: "Encoded: about 3.2 and 1.4 Mbit/s, 30 pictures a second." },
  { value: "full", label: "full: 1080p, 720p, 480p and 360p", hint: "Encoded: about 5.5 down to 0.9 Mbit/s. It takes the most processor time." },
  { value: "sd", label: "sd: 480p", hint: "Encoded: about 1.4 Mbit/s. It takes the least processor time." },
  { value: "source", label: "source: copied as it comes", hint: "Not encoded: H.264 or HEVC with AAC or without sound, with a key frame every 10 s or less. Not for the test picture." },
  { value: "custom", label: "custom: a ladder of my own", hint: "Encoded, with sizes and bitrates that you give." },
];

export function ProfileField({ values, set, faults }: { values: FormValues; set: (changes: Partial<FormValues>) => void; faults: Faults }) {
  return (
    <>
      <SelectField
        label="Profile" value={values.profile} fault={faults["abr_profile"]} hint={PROFILES.find((each) => each.value === values.profile)?.hint}
        options={PROFILES} onChange={(profile) => set({ profile })}
      />
      {values.profile === "custom" && <Ladder values={values} set={set} faults={faults} />}
    </>
  );
}

function Ladder({ values, set, faults }: { values: FormValues; set: (changes: Partial<FormValues>) => void; faults: Faults }) {
  const { ladder } = values;
  const change = (n: number, changes: Partial<LadderValues>): void => set({ ladder: ladder.map((each, m) => (m === n ? { ...each, ...changes } : each)) });
  return (
    <fieldset class="stack tight">
      <legend>Ladder, the best first</legend>
      {ladder.map((each, n) => {
        const field = (name: string): string | undefined => faults[`custom_renditions.${n}.${name}`];
        return (
          <div key={n} class="source-backup stack tight">
            <div class="ladder-row">
              <TextField label="Name" value={each.name} fault={field("name")} spellcheck={false} onChange={(name) => change(n, { name })} />
              <TextField label="Width, px" value={each.width} fault={field("width")} inputMode="numeric" onChange={(width) => change(n, { width })} />
              <TextField label="Height, px" value={each.height} fault={field("height")} inputMode="numeric" onChange={(height) => change(n, { height })} />
              <TextField label="Picture, kbit/s" value={each.videoKbps} fault={field("video_bps")} inputMode="decimal" onChange={(videoKbps) => change(n, { videoKbps })} />
              <TextField label="Sound, kbit/s" value={each.audioKbps} fault={field("audio_bps")} inputMode="decimal" onChange={(audioKbps) => change(n, { audioKbps })} />
            </div>
            {ladder.length > 1 && (
              <div><Button look="quiet" slim onClick={() => set({ ladder: ladder.filter((_, m) => m !== n) })}><Trash2 class="icon" aria-hidden="true" /> Remove {each.name || "this rendition"}</Button></div>
            )}
          </div>
        );
      })}
      {faults["custom_renditions"] && <p class="fault">{faults["custom_renditions"]}</p>}
      {ladder.length < RENDITIONS_MAX && (
        <div><Button slim onClick={() => set({ ladder: [...ladder, newRendition()] })}><Plus class="icon" aria-hidden="true" /> Add a rendition</Button></div>
      )}
      <TextField label="Pictures a second, at most" value={values.fpsMax} fault={faults["fps_max"]} inputMode="numeric" hint="10 to 60. A source with more is reduced." onChange={(fpsMax) => set({ fpsMax })} />
    </fieldset>
  );
}
